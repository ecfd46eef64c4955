#!/usr/bin/env python3
"""Measure what an idle connection costs a server: idle.py SERVER-BINARY [CONNECTIONS] [LIMIT-BYTES]

Starts `SERVER-BINARY echo`, opens so many connections (default 10000), measures the growth of its
resident memory per connection, has each echo 16 KiB, and measures again. With a limit, exits 1 if
either figure is above it.
"""
import os
import resource
import socket
import subprocess
import sys

REQUEST = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def read_exactly(sock, count):
    got = bytearray()
    while len(got) < count:
        some = sock.recv(count - len(got))
        if not some:
            raise RuntimeError("the server ended a connection")
        got += some
    return bytes(got)


def connect(address):
    sock = socket.create_connection(address)
    sock.sendall(REQUEST)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(sock, 1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return sock


def main():
    binary = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    limit = int(sys.argv[3]) if len(sys.argv) > 3 else None
    # Both ends of each connection need a descriptor, each in its own process.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
    server = subprocess.Popen([binary, "echo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE)
    try:
        line = server.stdout.readline().decode()
        host, port = line.strip().rsplit("//", 1)[1].rsplit(":", 1)
        address = (host, int(port))
        # The first connections pay for what all share.
        warm = [connect(address) for _ in range(50)]
        base = resident(server.pid)
        socks = [connect(address) for _ in range(count)]
        opened = (resident(server.pid) - base) / count

        payload = os.urandom(16 * 1024)
        header = b"\x82\xfe" + len(payload).to_bytes(2, "big")
        for sock in socks:
            sock.sendall(header + b"\0\0\0\0" + payload)
            answer = read_exactly(sock, 4 + len(payload))
            assert answer == b"\x82\x7e" + header[2:] + payload, "the echo differs"
        used = (resident(server.pid) - base) / count
        print(f"{count} idle connections: {opened:.0f} bytes each just opened, "
              f"{used:.0f} after a 16 KiB echo")
        del warm
    finally:
        server.kill()
        server.wait()
    if limit is not None and max(opened, used) > limit:
        sys.exit(f"more than the limit of {limit} bytes")


main()
