# SPDX-License-Identifier: MIT
"""WebSocket servers. The first line of output is the ports of two.

The first one is aiohttp's: /echo sends every message back, /ping asks for a pong before each,
/close closes after five messages, /wrong sends something else back. The second one misbehaves
byte by byte, by the path of the request. With two arguments, a certificate and its key, the first
one speaks TLS.
"""

import asyncio
import base64
import hashlib
import socket
import ssl
import struct
import sys

from aiohttp import WSMsgType, web

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


# --- well-behaved ---------------------------------------------------------------------------------

async def talk(request):
    ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
    await ws.prepare(request)
    pings = 0
    pongs = 0
    messages = 0
    async for message in ws:
        if message.type == WSMsgType.PONG:
            pongs += 1
            continue
        if request.path == "/ping":
            # The echo comes only when all pings before have been answered.
            await ws.ping(b"are you there")
            pings += 1
            while pongs < pings:
                pongs += (await ws.receive()).type == WSMsgType.PONG
        if request.path == "/wrong":
            await ws.send_str("something else")
        elif message.type == WSMsgType.TEXT:
            await ws.send_str(message.data)
        else:
            await ws.send_bytes(message.data)
        messages += 1
        if request.path == "/close" and messages == 5:
            await ws.close()
    return ws


async def refuse(_request):
    return web.Response(status=403)


# --- hostile --------------------------------------------------------------------------------------

def frame(opcode, payload=b"", last=True, bits=0):
    head = bytes([(0x80 if last else 0) | bits | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 65536:
        return head + struct.pack(">BH", 126, len(payload)) + payload
    return head + struct.pack(">BQ", 127, len(payload)) + payload


def accept_of(head):
    key = next(line.split(b":", 1)[1].strip() for line in head.split(b"\r\n")
               if line.lower().startswith(b"sec-websocket-key:"))
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def agreement(head, accept=None, status=b"101 Switching Protocols", extra=b""):
    return (b"HTTP/1.1 " + status + b"\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + (accept or accept_of(head)) + b"\r\n" + extra + b"\r\n")


OPENINGS = {
    "/not-101": lambda head: agreement(head, status=b"200 OK"),
    "/wrong-accept": lambda head: agreement(head, accept=b"A" * 28),
    "/unasked-extension": lambda head: agreement(
        head, extra=b"Sec-WebSocket-Extensions: permessage-deflate\r\n"),
    "/no-upgrade": lambda head: agreement(head).replace(b"Upgrade: WebSocket", b"X: y"),
    "/garbage-opening": lambda _head: b"\x00\x01\x02 no answer at all",
    "/endless-opening": lambda _head: b"HTTP/1.1 101 X\r\n" + b"X-Filler: aaaaaaaaaaaa\r\n" * 5000,
    "/close-opening": lambda _head: None,
}

# What is sent for a message. None closes, an empty text leaves the client waiting.
ANSWERS = {
    "/fragments": lambda m: (frame(TEXT, m[:1], last=False) + frame(PING, b"in between")
                             + frame(0, b"", last=False) + frame(0, m[1:])),
    "/masked": lambda m: bytes([0x81, 0x80 | len(m)]) + b"\0\0\0\0" + m,
    "/reserved-bits": lambda m: frame(TEXT, m, bits=0x40),
    "/reserved-opcode": lambda m: frame(3, m),
    "/long-length": lambda m: bytes([0x81, 126, 0, len(m)]) + m,
    "/huge-length": lambda m: bytes([0x81, 127]) + b"\xff" * 8 + m,
    "/too-large": lambda m: bytes([0x81, 127]) + struct.pack(">Q", 1 << 40) + m,
    "/long-ping": lambda m: frame(PING, b"x" * 126) + frame(TEXT, m),
    "/ping-in-pieces": lambda m: frame(PING, b"x", last=False) + frame(TEXT, m),
    "/lone-continuation": lambda m: frame(0, m),
    "/two-beginnings": lambda m: frame(TEXT, m, last=False) + frame(TEXT, m),
    "/garbage": lambda _m: b"this is no frame and never will be one",
    "/twice": lambda m: frame(TEXT, m) + frame(TEXT, m),
    "/binary": lambda m: frame(BINARY, m),
    "/close-reason": lambda _m: frame(CLOSE, struct.pack(">H", 1001) + b"going"),
    "/bad-close": lambda _m: frame(CLOSE, b"x"),
    "/end": lambda _m: None,
    "/end-in-frame": lambda m: frame(TEXT, m)[:-1] + b"END",
    "/silent": lambda _m: b"",
    "/stuck-in-frame": lambda m: frame(TEXT, m)[:-1],
    "/pong-unasked": lambda m: frame(PONG, b"hm") + frame(TEXT, m),
    "/ping-flood": lambda m: frame(PING, b"flood") * 2000 + frame(TEXT, m),
}


async def read_message(reader):
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = struct.unpack(">H", await reader.readexactly(2))[0]
    elif length == 127:
        length = struct.unpack(">Q", await reader.readexactly(8))[0]
    mask = await reader.readexactly(4)
    payload = await reader.readexactly(length)
    return first & 15, bytes(b ^ mask[i % 4] for i, b in enumerate(payload))


async def misbehave(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        opening = OPENINGS.get(path, agreement)(head)
        writer.write(opening or b"")
        while opening and path in ANSWERS:
            opcode, message = await read_message(reader)
            if opcode == CLOSE:
                break
            if opcode == PONG:
                continue
            answer = ANSWERS[path](message)
            if answer is None:
                break
            if answer.endswith(b"END"):
                writer.write(answer[:-3])
                break
            writer.write(answer)
            await writer.drain()
        if path in OPENINGS and opening:
            await reader.read(1)
    except (OSError, asyncio.IncompleteReadError):
        pass  # The other side had enough, which is what we are here for.
    finally:
        writer.close()


def bound():
    s = socket.create_server(("127.0.0.1", 0), backlog=1024)
    return s, s.getsockname()[1]


async def main():
    tls = None
    if len(sys.argv) == 3:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(sys.argv[1], sys.argv[2])
    good, good_port = bound()
    bad, bad_port = bound()
    app = web.Application()
    app.add_routes([web.get("/refused", refuse), web.get("/{any}", talk)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.SockSite(runner, good, ssl_context=tls).start()
    await asyncio.start_server(misbehave, sock=bad)
    print(good_port, bad_port)
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
