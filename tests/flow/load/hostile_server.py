# SPDX-License-Identifier: MIT
"""A server that misbehaves in every phase of an exchange, chosen by the path of the request.

One thread per connection, standard library only. The first line of output is the port. With two
arguments, a certificate and its key, it speaks TLS.
"""

import socket
import ssl
import struct
import sys
import threading

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def reset(conn):
    """Closes with a reset instead of an end of stream."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def stream(conn, piece, pause=None):
    """Sends the same bytes until the other side has had enough."""
    waiter = threading.Event()
    while True:
        conn.sendall(piece)
        if pause:
            waiter.wait(pause)


def hang(conn):
    while conn.recv(4096):
        pass


def chunked(*parts):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(parts)


def plain(text):
    """An answer that keeps the connection."""
    return lambda conn: conn.sendall(text)


def then_close(text):
    def act(conn):
        conn.sendall(text)
        conn.close()
    return act


def then_reset(text):
    def act(conn):
        conn.sendall(text)
        reset(conn)
    return act


def then_hang(text):
    def act(conn):
        conn.sendall(text)
        hang(conn)
    return act


def slow_bytes(conn):
    waiter = threading.Event()
    for byte in OK:
        conn.sendall(bytes([byte]))
        waiter.wait(0.002)


def slow_loris(conn):
    conn.sendall(b"HTTP/1.1 200 OK\r\n")
    stream(conn, b"X-A: b\r\n", 0.05)


def endless_head(conn):
    conn.sendall(b"HTTP/1.1 200 OK\r\n")
    stream(conn, b"X-Filler: " + b"a" * 1000 + b"\r\n")


def endless_interim(conn):
    stream(conn, b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_body(conn):
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000000000\r\n\r\n")
    stream(conn, b"z" * 65536)


def endless_trailer(conn):
    conn.sendall(chunked(b"0\r\n"))
    stream(conn, b"X-Filler: " + b"a" * 1000 + b"\r\n")


ACTS = {
    # What a server may do.
    "/ok": plain(OK),
    "/bare-lf": plain(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    "/chunked": plain(chunked(b"3;x=y\r\nabc\r\n", b"A\r\n0123456789\r\n", b"0\r\nT: v\r\n\r\n")),
    "/interim": plain(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK),
    "/204": plain(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "/304": plain(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n"),
    "/head": plain(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"),
    "/until-close": then_close(b"HTTP/1.1 200 OK\r\n\r\nbody"),
    "/http10": then_close(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
    "/announced-close": then_close(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
    "/silent-close": then_close(OK),
    "/slow-bytes": slow_bytes,
    "/large": plain(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n" + b"z" * 2000000),
    "/500": plain(b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"),
    # What it may not.
    "/garbage": plain(b"\x00\xff\xfe not http at all\r\n\r\n"),
    "/two-lengths": plain(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"),
    "/both": plain(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
                   b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "/negative": plain(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok"),
    "/folded": plain(b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok"),
    "/bad-chunk": plain(chunked(b"zz\r\nabc\r\n")),
    "/huge-chunk": plain(chunked(b"fffffffffffffffff\r\nabc\r\n")),
    "/unended-chunk": plain(chunked(b"3\r\nabcdef\r\n")),
    "/unasked": plain(OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore"),
    "/short-body": then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"),
    "/close-first": lambda conn: conn.close(),
    "/close-in-head": then_close(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "/reset-first": reset,
    "/reset-in-head": then_reset(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "/reset-in-body": then_reset(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"),
    "/no-answer": hang,
    "/stuck-in-body": then_hang(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"),
    "/slow-loris": slow_loris,
    "/endless-head": endless_head,
    "/endless-interim": endless_interim,
    "/endless-body": endless_body,
    "/endless-trailer": endless_trailer,
}


def exchange(conn):
    got = b""
    while conn.fileno() >= 0:
        while b"\r\n\r\n" not in got:
            piece = conn.recv(65536)
            if not piece:
                return
            got += piece
        request, got = got.split(b"\r\n\r\n", 1)
        path = request.split(b" ")[1].decode()
        if path not in ACTS:
            return
        ACTS[path](conn)


def serve(conn, tls):
    try:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            conn = tls.wrap_socket(conn, server_side=True)
        exchange(conn)
    except OSError:
        pass  # The other side had enough, which is what we are here for.
    finally:
        if conn.fileno() >= 0:
            conn.close()


def main():
    tls = None
    if len(sys.argv) == 3:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[1], sys.argv[2])
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1])
    sys.stdout.flush()
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn, tls), daemon=True).start()


if __name__ == "__main__":
    main()
