"""A webhook receiver that knows nothing of Pacewatch: it checks what a Standard Webhooks receiver
checks, with Python's own HMAC, and prints one line of JSON per delivery.

Usage: receiver.py SECRET_HEX. Prints its port first. The path chooses how it answers:
/ok, /status/N, /retry/SECONDS (503), /redirect, /slow, /large, /flaky/N (503 for the first N).
Ends when its standard input does.
"""
import base64
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time

KEY = bytes.fromhex(sys.argv[1])
seen = {}


def check(headers, body):
    """Returns what is wrong with a delivery, or None."""
    try:
        stamp = int(headers["webhook-timestamp"])
        if abs(time.time() - stamp) > 300:
            return "the timestamp is not now"
        signed = f"{headers['webhook-id']}.{stamp}.".encode() + body
        want = base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()
        given = [s[3:] for s in headers["webhook-signature"].split(" ") if s.startswith("v1,")]
        if not any(hmac.compare_digest(want, g) for g in given):
            return "no signature fits"
        if headers["content-type"] != "application/json":
            return "the content type is wrong"
        json.loads(body)
    except (KeyError, TypeError, ValueError) as e:
        return f"{type(e).__name__}: {e}"
    return None


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def do_GET(self):
        print(json.dumps({"path": self.path, "method": "GET"}), flush=True)
        self.answer(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        n = seen[self.path] = seen.get(self.path, 0) + 1
        print(json.dumps({"path": self.path, "method": "POST", "n": n,
                          "id": self.headers.get("webhook-id"), "fault": check(self.headers, body),
                          "body": body.decode("utf-8", "replace")}), flush=True)
        what, _, arg = self.path[1:].partition("/")
        if what == "status":
            self.answer(int(arg))
        elif what == "retry":
            self.answer(503, retry_after=arg)
        elif what == "redirect":
            self.answer(302, location="/ok")
        elif what == "slow":
            stop.wait(30)
        elif what == "large":
            self.answer(200, b"x" * (8 << 20))
        elif what == "flaky" and n <= int(arg):
            self.answer(503)
        else:
            self.answer(200, b"thanks")


stop = threading.Event()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
server.daemon_threads = True
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
stop.set()
