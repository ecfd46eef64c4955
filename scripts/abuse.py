#!/usr/bin/env python3
"""What `scripts/abuse` does once the command is built: see there."""
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

TOWLINE = os.environ["TOWLINE"]

# Most memory that an attack may cost one of ours that streams, in MiB; what holds whole messages
# may hold 64 MiB of one, and has each attack's own bound.
OURS_MIB = 16

# Far above what all attacks on one server, and one attack on one client, take.
RUN_SECONDS = 900
CLIENT_SECONDS = 120
START_SECONDS = 60

# How a client may end that was treated badly (`towline --help`): a panic is 101, a signal negative.
CLIENT_CODES = {0, 1, 8, 22, 28, 52, 56, 100}
# The same where it has not come to a WebSocket because of TLS.
TLS_CODES = {0, 35, 60}


class Server:
    """A server, from its start to its end."""

    def __init__(self, command):
        self.process = None
        if isinstance(command, str) and re.match(r"wss?://", command):
            self.url = command
            return
        given = shlex.split(command) if isinstance(command, str) else command
        port = free_port()
        words = [word.replace("{port}", str(port)) for word in given]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", env=os.environ | {"PORT": str(port)},
            start_new_session=True)
        self.lines = []
        self.said = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        self.url = f"ws://127.0.0.1:{port}/"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if words == given and self.said.wait(0.05):
                self.url = next(filter(None, map(address, self.lines)))
                return
            if is_open(port):
                return
            time.sleep(0.05)
        self.stop()
        raise SystemExit(f"{shlex.join(words)} does not listen:\n" + "".join(self.lines[-20:]))

    def _listen(self):
        for line in self.process.stdout:
            if len(self.lines) < 1000:
                self.lines.append(line)
            if address(line):
                self.said.set()

    def stop(self):
        if self.process and self.process.poll() is None:
            # The group: a command may be a script that starts the server.
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def address(line):
    found = re.search(r"wss?://[^\s\"']+", line)
    return found and found[0]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def is_open(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def events(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def ours(name, command, path="", args=(), skips=()):
    """Attacks one of our servers; whether it withstands, and skips nothing but what it may."""
    server = Server([TOWLINE, *command, "--listen", "127.0.0.1:0"])
    begin = time.monotonic()
    try:
        url = server.url.replace("127.0.0.1", "localhost") if "wss" in server.url else server.url
        run = subprocess.run([TOWLINE, "abuse", url + path, *args], text=True,
                             capture_output=True, timeout=RUN_SECONDS)
    finally:
        server.stop()
    lines = run.stdout.splitlines()
    print(f"{name}: {lines[-1] if lines else run.stderr.strip()}, "
          f"{time.monotonic() - begin:.0f} s", flush=True)
    if run.returncode < 0:
        print(f"towline abuse was ended by signal {-run.returncode}")
    if run.returncode != 0:
        print(run.stdout + run.stderr)
    played = {line.split()[1]: line.split()[0] for line in lines if line[:3] in ("ok ", "-- ")}
    ever_played.update(attack for attack, mark in played.items() if mark == "ok")
    skipped = {attack for attack, mark in played.items() if mark == "--"}
    if not skipped <= set(skips):
        print(f"    it skipped what it was not to: {', '.join(skipped - set(skips))}")
        return False
    return run.returncode == 0


def our_client(name, before, after=(), args=(), skips=True, tls=None):
    """Lets one of our clients meet each attack of the hostile server; whether it withstands, likewise.

    With a file for what the client is to trust in `tls`, these are the attacks on TLS."""
    begin = time.monotonic()
    codes = TLS_CODES if tls else CLIENT_CODES
    listed = subprocess.run([TOWLINE, "abuse", "--serve", "--list", "--json", *args],
                            text=True, capture_output=True, check=True)
    secure = ["--tls", tls] if tls else []
    hostile = subprocess.Popen([TOWLINE, "abuse", "--serve", "--json", *secure, *args],
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bad = []
    try:
        url = json.loads(hostile.stdout.readline())["url"]
        for attack in events(listed.stdout):
            if attack["tls"] != bool(tls):
                continue
            client = subprocess.run(
                [TOWLINE, *before, f"{url}/{attack['name']}", *after], timeout=CLIENT_SECONDS,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            if client.returncode not in codes:
                bad.append(f"{attack['name']}: it ended with {client.returncode}: "
                           + client.stderr.decode(errors="replace").strip())
        out, err = hostile.communicate(timeout=RUN_SECONDS)
    finally:
        hostile.kill()
    rows = events(out)
    bad += [f"{row['name']}: {row['verdict']}; {row['note']}"
            for row in rows if row["type"] == "attack" and not row["good"]]
    total = next((row for row in rows if row["type"] == "summary"), None)
    if total is None:
        print(f"{name}: the hostile server ended with {hostile.returncode} and no summary: {err}")
        return False
    print(f"{name}: {total['good']} good, {total['bad']} bad, {total['skipped']} skipped, "
          f"{time.monotonic() - begin:.0f} s", flush=True)
    if not skips and total["skipped"]:
        bad.append("nothing was to be skipped")
    for line in bad:
        print(f"    {line}")
    if hostile.returncode != 0 and not bad:
        print(f"    {err.strip()}")
    return not bad and hostile.returncode == 0


# What has been played against one of our servers.
ever_played = set()

# What some of our servers cannot be attacked with: they speak no TLS, do not compress, or let all
# pages in.
TLS = {"clear-text", "tls-garbage", "tls-goodbye", "tls-fragments", "stalled-tls"}
PAGES = {"foreign-origin", "foreign-host"}


def check_ours():
    listed = events(subprocess.run([TOWLINE, "abuse", "--list", "--json"], text=True,
                                   capture_output=True, check=True).stdout)
    deflate = {attack["name"] for attack in listed if attack["deflate"]}
    keys = os.environ["CERTIFICATES"]
    wss = ["--cert", f"{keys}/cert.pem", "--key", f"{keys}/key.pem"]
    trust = ["--cacert", f"{keys}/ca.pem"]
    little = ["--max-memory", str(OURS_MIB)]
    results = [
        ours("towline echo", ["echo"], args=little, skips=TLS | PAGES | deflate),
        ours("towline echo, wss", ["echo", *wss], args=[*little, *trust, "--quick"],
             skips=PAGES | deflate),
        ours("towline serve, /echo", ["serve", "-q"], "/echo", [*little, "--quick"],
             skips=TLS | deflate),
        # This one holds whole messages.
        ours("towline serve, sample", ["serve", "-q"], "/WebSocketSample/EchoWebSocket.ashx",
             ["--quick"], skips=TLS | deflate),
        our_client("towline connect", ["connect"], args=little),
        our_client("towline recv", ["recv"], ["-"], [*little, "--quick"]),
        our_client("towline ping", ["ping", "-c", "1"], args=["--quick"]),
        ours("towline echo --deflate, wss", ["echo", "--deflate", *wss], args=[*little, *trust],
             skips=PAGES),
        our_client("towline connect --deflate", ["connect", "--deflate"], args=little, skips=False),
        our_client("towline connect, wss", ["connect", "--cacert", f"{keys}/trusted.pem"],
                   args=little, skips=False, tls=f"{keys}/trusted.pem"),
    ]
    never = {attack["name"] for attack in listed} - ever_played
    if never:
        print(f"never played: {', '.join(sorted(never))}")
    print(f"{sum(results)} of {len(results)} of ours withstand all attacks")
    return all(results) and not never


def cell(row):
    if row is None:
        return "not played"
    text = row["verdict"]
    if text == "leaked":
        text += f" {row['memory'] / 2**20:.0f} MiB"
    elif text == "skipped":
        return "–"
    return text if row["good"] else f"**{text}**"


def play(name, command, attacks):
    """Plays the attacks, again from the next one where one has ended the server."""
    rows = {}
    while left := [attack["name"] for attack in attacks if attack["name"] not in rows]:
        server = Server(command)
        try:
            only = [word for attack in left for word in ("--only", attack)]
            run = subprocess.run([TOWLINE, "abuse", server.url, "--json", *only], text=True,
                                 capture_output=True, timeout=RUN_SECONDS)
        finally:
            server.stop()
        played = [row for row in events(run.stdout) if row["type"] == "attack"]
        if not played:
            raise SystemExit(f"{name}: {run.stderr.strip()}")
        rows |= {row["name"]: row for row in played}
        if server.process is None:
            break
    return rows


def compare(peers, deflate):
    """One table with a column for each peer, without what was played against none of them."""
    listed = events(subprocess.run([TOWLINE, "abuse", "--list", "--json"], text=True,
                                   capture_output=True, check=True).stdout)
    if deflate:
        listed = [attack for attack in listed if attack["deflate"]]
    columns = {}
    for peer in peers:
        name, _, command = peer.partition("=")
        if not command:
            raise SystemExit(f"{peer!r} is not NAME=COMMAND")
        rows = columns[name] = play(name, command, listed)
        print(f"{name}: {sum(not row['good'] for row in rows.values())} bad", file=sys.stderr,
              flush=True)
    print("| attack | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for attack in listed:
        cells = [cell(rows.get(attack["name"])) for rows in columns.values()]
        if set(cells) == {"–"}:
            continue
        print(f"| {attack['name']} | " + " | ".join(cells) + " |")
    print("| **bad** | " + " | ".join(
        f"**{sum(not row['good'] for row in rows.values())}**" for rows in columns.values()) + " |")
    peak = (max((row["memory"] or 0 for row in rows.values()), default=0)
            for rows in columns.values())
    print("| most memory | " + " | ".join(f"{most / 2**20:.0f} MiB" for most in peak) + " |")


def main():
    # Whoever ends this ends the servers as well, which are in groups of their own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    match sys.argv[1:]:
        case []:
            return 0 if check_ours() else 1
        case ["--peers", "--deflate", *peers] if peers:
            compare(peers, deflate=True)
            return 0
        case ["--peers", *peers] if peers:
            compare(peers, deflate=False)
            return 0
    print("usage: scripts/abuse [--peers [--deflate] NAME=COMMAND...]", file=sys.stderr)
    return 2


sys.exit(main())
