#!/usr/bin/env python3
"""Measure what an idle connection costs a server.

Starts `SERVER echo`, opens so many connections, measures the growth of its resident memory per
connection, has each echo 16 KiB, and measures again. With a limit, exits 1 if either figure is
above it.
"""
import argparse
import os
import resource
import socket
import ssl
import subprocess
import sys

REQUEST = (b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
# The first connections pay for what all share.
WARM = 50


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


def read_message(sock):
    """The payloads of the frames up to the last: TLS cuts what a read brings."""
    message = b""
    while True:
        first, length = read_exactly(sock, 2)
        if length == 126:
            length = int.from_bytes(read_exactly(sock, 2), "big")
        message += read_exactly(sock, length)
        if first & 0x80:
            return message


def connect(address, tls=None):
    sock = socket.create_connection(address)
    if tls is not None:
        sock = tls.wrap_socket(sock, server_hostname="localhost")
    sock.sendall(REQUEST)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(sock, 1)
    assert head.startswith(b"HTTP/1.1 101 "), head
    return sock


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", help="the program towline")
    parser.add_argument("count", nargs="?", type=int, default=10_000, help="connections")
    parser.add_argument("limit", nargs="?", type=int, help="bytes that each may cost")
    parser.add_argument("--tls", metavar="FOLDER",
                        help="speak wss, with the files that interop/certificates makes there")
    args = parser.parse_args()
    # Both ends of each connection need a descriptor, each in its own process.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, args.count + WARM + 50), hard))
    command = [args.server, "echo", "--listen", "127.0.0.1:0"]
    tls = None
    if args.tls is not None:
        command += ["--cert", f"{args.tls}/cert.pem", "--key", f"{args.tls}/key.pem"]
        tls = ssl.create_default_context(cafile=f"{args.tls}/ca.pem")
    server = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        line = server.stdout.readline().decode()
        host, port = line.strip().rsplit("//", 1)[1].rsplit(":", 1)
        address = (host, int(port))
        warm = [connect(address, tls) for _ in range(WARM)]
        base = resident(server.pid)
        socks = [connect(address, tls) for _ in range(args.count)]
        opened = (resident(server.pid) - base) / args.count

        payload = os.urandom(16 * 1024)
        header = b"\x82\xfe" + len(payload).to_bytes(2, "big")
        for sock in socks:
            sock.sendall(header + b"\0\0\0\0" + payload)
            assert read_message(sock) == payload, "the echo differs"
        used = (resident(server.pid) - base) / args.count
        kind = "idle connections" if tls is None else f"idle connections over {socks[0].version()}"
        print(f"{args.count} {kind}: {opened:.0f} bytes each just opened, "
              f"{used:.0f} after a 16 KiB echo")
        del warm
    finally:
        server.kill()
        server.wait()
    if args.limit is not None and max(opened, used) > args.limit:
        sys.exit(f"more than the limit of {args.limit} bytes")


if __name__ == "__main__":
    main()
