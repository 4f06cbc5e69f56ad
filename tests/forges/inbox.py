"""Where notices go: a Slack-like and a Matrix-like HTTP endpoint, and two real SMTP servers
(aiosmtpd), one with STARTTLS and a login, one that knows neither.

    inbox.py FOLDER     with cert.pem and key.pem

Prints the port of HTTP, then lines of JSON: first the ports of SMTP, then one for each delivery.
Ends when its standard input does.
"""
import asyncio
import email
import email.policy
import json
import logging
import ssl
import sys
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER = sys.argv[1]
logging.disable(logging.CRITICAL)  # clients that end a handshake are part of the tests
warnings.simplefilter("ignore")


def tell(**fields):
    print(json.dumps(fields), flush=True)


class Inbox(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def take(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        good = self.command == "POST" or self.headers.get("Authorization") == "Bearer mx-token"
        tell(method=self.command, path=self.path, body=json.loads(body))
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT = take


class Mailbox:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        tell(sender=envelope.mail_from, receivers=envelope.rcpt_tos, subject=str(mail["Subject"]),
             id=mail["Message-ID"], auto=mail["Auto-Submitted"], date=mail["Date"],
             text=mail.get_content(), tls=session.ssl is not None,
             longest=max(len(line) for line in envelope.content.split(b"\r\n")))
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    good = data.login == b"pacewatch" and data.password == b"mail-password"
    return AuthResult(success=good, handled=good)


async def serve_mail():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{FOLDER}/cert.pem", f"{FOLDER}/key.pem")
    loop = asyncio.get_running_loop()
    secure = await loop.create_server(
        lambda: SMTP(Mailbox(), tls_context=context, require_starttls=True, auth_required=True,
                     authenticator=login), "127.0.0.1", 0)
    plain = await loop.create_server(lambda: SMTP(Mailbox()), "127.0.0.1", 0)
    ports = [s.sockets[0].getsockname()[1] for s in (secure, plain)]
    tell(secure=ports[0], plain=ports[1])
    await asyncio.Event().wait()


http = ThreadingHTTPServer(("127.0.0.1", 0), Inbox)
threading.Thread(target=http.serve_forever, daemon=True).start()
print(http.server_address[1], flush=True)
threading.Thread(target=lambda: asyncio.run(serve_mail()), daemon=True).start()
sys.stdin.read()
