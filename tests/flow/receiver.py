"""A webhook receiver that checks Standard Webhooks signatures by itself.

receiver.py SECRET_FILE OUT: appends one JSON line per delivery to OUT; its port is in OUT.port.
"""

import base64
import hashlib
import hmac
import http.server
import json
import sys
import time

secret_file, out = sys.argv[1:]
secret = open(secret_file).read().strip()
key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        ident, stamp = self.headers["webhook-id"], self.headers["webhook-timestamp"]
        signed = ident.encode() + b"." + stamp.encode() + b"." + body
        want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        good = want in self.headers["webhook-signature"].split(" ") and abs(time.time() - int(stamp)) < 300
        row = {"id": ident, "signature_good": good, "body": json.loads(body)}
        with open(out, "a") as f:
            f.write(json.dumps(row) + "\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Receiver)
with open(out + ".port", "w") as f:
    f.write(str(server.server_port))
server.serve_forever()
