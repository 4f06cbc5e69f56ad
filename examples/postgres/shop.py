#!/usr/bin/python3
"""A small shop over PostgreSQL: one reader, one writer, one connection for each thread."""
import json
import os
import random
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg2

local = threading.local()


def cursor():
    # PGHOST, PGUSER and PGDATABASE come from Pacewatch; libpq reads them by itself.
    if not hasattr(local, "connection"):
        local.connection = psycopg2.connect("")
        local.connection.autocommit = True
        local.dice = random.Random(1)
    return local.connection.cursor()


def items():
    with cursor() as c:
        c.execute("SELECT id, name, stock FROM item ORDER BY id LIMIT 20")
        return [{"id": i, "name": n, "stock": s} for i, n, s in c.fetchall()]


def updates():
    with cursor() as c:
        ids = sorted(local.dice.sample(range(1, 1001), 5))
        c.execute("UPDATE item SET stock = stock + 1 WHERE id = ANY(%s)", (ids,))
        return {"updated": len(ids)}


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet

    def do_GET(self):
        page = {"/items": items, "/updates": updates}.get(self.path)
        body = json.dumps(page() if page else None).encode()
        self.send_response(200 if page else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Shop).serve_forever()
