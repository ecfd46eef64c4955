"""`towline connect` as a person has it: at a terminal. Run by scripts/interop.

A pseudo-terminal stands for the terminal; what is drawn on it is searched for what must be there.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
from pathlib import Path

from checks import check, equal, run_checks

TOWLINE = os.environ["TOWLINE"]
PATIENCE = 20


class Server:
    def __enter__(self):
        self.process = subprocess.Popen(
            [TOWLINE, "serve", "-q", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Terminal:
    """`towline connect` on a terminal of its own, with a history of its own."""

    def __init__(self, url, state, *arguments):
        self.drawn = ""
        self.process, self.end = pty.fork()
        if self.process == 0:
            os.environ.update(TERM="xterm", XDG_STATE_HOME=str(state))
            os.execv(TOWLINE, [TOWLINE, "connect", url + "/echo", *arguments])
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.until("> ")

    def until(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.drawn)):
            if time.monotonic() > deadline or not self._read():
                raise AssertionError(f"{pattern!r} is not in {self.drawn[-300:]!r}")
        self.drawn = self.drawn[found.end():]

    def type(self, text):
        os.write(self.end, text.encode())

    def status(self):
        while self._read():
            pass
        os.close(self.end)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])

    def _read(self):
        ready, _, _ = select.select([self.end], [], [], PATIENCE)
        try:
            data = os.read(self.end, 65536) if ready else b""
        except OSError:  # how Linux tells the end
            data = b""
        self.drawn += data.decode(errors="replace")
        return bool(data)


@check("lines, commands and a file go out, and what comes stands above the line")
def _(server, state):
    terminal = Terminal(server.url, state)
    terminal.type("hello\r")
    terminal.until("< hello")
    terminal.type("escape \x16\x1b[31m\r")  # Ctrl-V takes the next key as it is
    terminal.until(r"< escape \\u\{1b\}\[31m")
    terminal.type("/ping\r")
    terminal.until(r"\* pong after [\d.]+ ms")
    terminal.type("/help\r")
    terminal.until("/file PATH")
    terminal.type("/bogus\r")
    terminal.until("there is no /bogus")
    file = state / "file.bin"
    file.write_bytes(bytes(range(256)) * 1000)
    terminal.type(f"/file {file}\r")
    terminal.until(r"< \[binary, 256000 bytes\] 00 01 02")
    terminal.type("/close 4001 so long\r")
    terminal.until("closed with 4001")
    equal(terminal.status(), 0)


@check("the history is kept for the user alone, and not at all if that is wanted")
def _(server, state):
    for secret, arguments in (("kept", []), (" spaced", []), ("secret", ["--no-history"])):
        terminal = Terminal(server.url, state, *arguments)
        terminal.type(secret + "\r")
        terminal.until("< " + secret)
        terminal.type("\x04")
        terminal.until("closed with 1000")
        equal(terminal.status(), 0)
    history = state / "towline" / "history"
    equal(oct(history.stat().st_mode & 0o777), "0o600")
    equal(history.read_text().splitlines()[1:], ["kept"])


@check("Ctrl-C closes with 1000 and is status 130")
def _(server, state):
    terminal = Terminal(server.url, state)
    terminal.type("\x03")
    terminal.until("closed with 1000")
    equal(terminal.status(), 130)


@check("a server that closes while somebody types leaves the terminal as it was")
def _(server, state):
    terminal = Terminal(server.url, state)
    terminal.type("half a li")
    terminal.until("half a li")
    server.process.send_signal(signal.SIGINT)
    terminal.until("closed with 1001")
    modes = termios.tcgetattr(terminal.end)[3]
    equal((bool(modes & termios.ECHO), bool(modes & termios.ICANON)), (True, True))
    equal(terminal.status(), 0)


@check("a server with a certificate ends with its terminal, and not at a mere SIGHUP")
def _(_, state):
    certificate, key = state / "cert.pem", state / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    process, end = pty.fork()
    if process == 0:
        os.execv(TOWLINE, [TOWLINE, "echo", "--listen", "127.0.0.1:0", "--cert", str(certificate),
                           "--key", str(key)])
    assert b"listening on wss://" in os.read(end, 65536)
    os.kill(process, signal.SIGHUP)
    time.sleep(0.3)
    equal(os.waitpid(process, os.WNOHANG), (0, 0))
    os.close(end)
    deadline = time.monotonic() + PATIENCE
    while (ended := os.waitpid(process, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            raise AssertionError("it is still there")
        time.sleep(0.01)
    equal(os.waitstatus_to_exitcode(ended[1]), 129)


def call(function):
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        function(server, Path(folder))


passed, failed, _ = run_checks("terminal", call)
print(f"{passed} passed, {failed} failed")
raise SystemExit(failed > 0)
