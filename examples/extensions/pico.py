#!/usr/bin/python3
"""A small web framework whose extensions can be switched on, with worker processes.

EXTENSIONS=cors,etag,logger   which ones are active; empty: none
--workers N                   processes that share the port
"""
import hashlib
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def cors(_request, headers, _body):
    headers["Access-Control-Allow-Origin"] = "*"
    headers["Access-Control-Allow-Methods"] = "GET, OPTIONS"


def etag(_request, headers, body):
    headers["ETag"] = '"' + hashlib.sha256(body).hexdigest() + '"'


def logger(request, headers, body):
    line = {"path": request.path, "bytes": len(body), "headers": dict(request.headers)}
    log.write(json.dumps(line) + "\n")


known = {"cors": cors, "etag": etag, "logger": logger}
active = [known[name] for name in os.environ.get("EXTENSIONS", "").split(",") if name]
log = open(os.devnull, "w")


class Pico(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        body = json.dumps({"message": "Hello", "items": list(range(50))}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        for extension in active:
            extension(self, headers, body)
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    workers = int(sys.argv[2]) if sys.argv[1:2] == ["--workers"] else 1
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Pico)
    for _ in range(workers - 1):
        if os.fork() == 0:
            break
    server.serve_forever()
