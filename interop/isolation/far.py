"""The world outside of the isolated machine, in a network namespace of its own: servers at addresses
of every class, that count who reached them.

Prints `ready`, then answers each line on its standard input with what was counted since the last one, as
JSON: {"tcp 8.8.8.8": 3, "udp 10.9.9.9": 1, "dns pub.test": 2, …}
"""

import asyncio
import collections
import json
import socket
import struct
import sys

TCP_PORT, UDP_PORT, DNS_PORT = 8080, 9000, 53
ADDRESSES = sys.argv[1].split(",")
NAME_SERVER = sys.argv[2]
NAMES = {
    "pub.test": ["8.8.8.8"],
    "priv.test": ["10.9.9.9"],
    "corp.example": ["10.9.9.9"],
}
ALTERNATING = ["8.8.8.8", "127.0.0.1"]  # what rebind.test is, by turns

COUNTED = collections.Counter()


async def serve(reader, writer):
    address = writer.get_extra_info("sockname")[0].removeprefix("::ffff:")
    COUNTED[f"tcp {address}"] += 1
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        if head:
            body = f"hello from {address}\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, asyncio.LimitOverrunError):
        pass
    writer.close()


class Echo(asyncio.DatagramProtocol):
    def __init__(self, address):
        self.address = address

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        COUNTED[f"udp {self.address}"] += 1
        self.transport.sendto(data, peer)


class NameServer(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += data[at] + 1
        name, kind = ".".join(labels).lower(), struct.unpack(">H", data[at + 1:at + 3])[0]
        COUNTED[f"dns {name}"] += 1
        found = NAMES.get(name, [])
        if name == "rebind.test":
            found = [ALTERNATING[COUNTED["dns rebind.test"] % 2]]
        found = found if kind == 1 else []
        answers = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(a) for a in found)
        status = 0x8180 if name in NAMES or name == "rebind.test" else 0x8183
        head = data[:2] + struct.pack(">HHHHH", status, 1, len(found), 0, 0)
        self.transport.sendto(head + data[12:at + 5] + answers, peer)


async def main():
    loop = asyncio.get_running_loop()
    await asyncio.start_server(serve, "::", TCP_PORT, backlog=4096)
    await asyncio.start_server(serve, "0.0.0.0", TCP_PORT, backlog=4096)
    for address in ADDRESSES:
        await loop.create_datagram_endpoint(lambda a=address: Echo(a), (address, UDP_PORT))
    await loop.create_datagram_endpoint(NameServer, (NAME_SERVER, DNS_PORT))
    print("ready", flush=True)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while await lines.readline():
        # What is on its way counts as well.
        await asyncio.sleep(0.2)
        print(json.dumps(COUNTED), flush=True)
        COUNTED.clear()


asyncio.run(main())
