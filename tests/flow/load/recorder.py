# SPDX-License-Identifier: MIT
"""A server that remembers what it was asked."""

import re
import socket
import threading
import time


class Recorder:
    """Answers, and keeps what came on which connection: [[(path, header, body, seconds)]]."""

    def __init__(self, close_after=None, broken=None):
        self.close_after = close_after
        self.broken = broken
        self.connections = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            seen = []
            self.connections.append(seen)
            threading.Thread(target=self.serve, args=(conn, seen), daemon=True).start()

    def serve(self, conn, seen):
        got = b""
        with conn:
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                while b"\r\n\r\n" not in got:
                    try:
                        piece = conn.recv(4096)
                    except OSError:
                        return
                    if not piece:
                        return
                    got += piece
                head, got = got.split(b"\r\n\r\n", 1)
                path = head.split(b" ")[1].decode()
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                body_len = int(length[1]) if length else 0
                while len(got) < body_len:
                    got += conn.recv(65536)
                seen.append((path, head, got[:body_len], time.monotonic()))
                got = got[body_len:]
                status = b"500 No" if path == self.broken else b"200 OK"
                conn.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
                if len(seen) == self.close_after:
                    return

    def close(self):
        """The paths per connection."""
        self.listener.close()
        return [[path for path, *_ in seen] for seen in self.connections if seen]

    def close_with_heads(self):
        self.listener.close()
        return [[(path, head, body) for path, head, body, _ in seen]
                for seen in self.connections if seen]
