"""Building, starting, loading and watching the programs."""
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from scenarios import SERVERS

BENCH = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", BENCH / "target")).resolve()
CONTESTANT_CORE, LOAD_CORE = 0, 1
# A server from outside has so long to listen.
START_SECONDS = 20
# No run takes so long, unless it hangs.
RUN_SECONDS = 300
# What moves data or waits for it.
CALLS = ("read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg", "sendmsg",
         "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "futex")


class Failed(Exception):
    """A program did not do what it should; the message says which and why."""


def build(packages):
    """Every contestant with the same compiler settings."""
    settings = dict(os.environ, RUSTFLAGS="-C target-cpu=native", CARGO_TARGET_DIR=str(TARGET),
                    CARGO_INCREMENTAL="0", CARGO_PROFILE_RELEASE_LTO="fat",
                    CARGO_PROFILE_RELEASE_CODEGEN_UNITS="1")
    # One by one: what one needs does not decide with which features another is built.
    for package in sorted(packages | {"bench-load", "bench-raw"} - {""}):
        folder = BENCH.parent if package == "towline-cli" else BENCH
        subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "-p", package],
                       cwd=folder, env=settings, check=True)


def program(name, verb):
    """The command line of a server, or of a client program."""
    server = SERVERS[name]
    binary = TARGET / "release" / ("towline" if server.package == "towline-cli" else server.package)
    if server.package in ("bench-towline", "bench-peers"):
        return [str(binary), *server.args, verb]
    return [str(binary), *server.args] if server.package else list(server.args)


def certificate():
    folder = TARGET / "certificate"
    if not (folder / "key.pem").exists():
        subprocess.run([TARGET / "release" / "bench-raw", "cert", folder], check=True)
    return folder / "cert.pem", folder / "key.pem"


class Running:
    """A server, pinned to its core, until the end of the block."""

    def __init__(self, name, tls=False, prefix=(), core=CONTESTANT_CORE):
        args, port = program(name, "serve"), None
        if any("{port}" in arg for arg in args):
            port = free_port()
            args = [arg.replace("{port}", str(port)) for arg in args]
        if tls:
            cert, key = certificate()
            args += ["--cert", str(cert), "--key", str(key)]
        self.process = subprocess.Popen([*prefix, *args], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL,
                                        preexec_fn=lambda: settle(core))
        self.pid = self.process.pid
        try:
            self.port = wait_for(port) if port else self.announced()
        except Failed:
            self.__exit__()
            raise

    def announced(self):
        line = self.process.stdout.readline().decode().strip()
        if ":" not in line:
            raise Failed(f"{' '.join(self.process.args)} did not say where it listens: {line!r}")
        return int(line.rsplit(":", 1)[1])

    def status(self, field):
        """A figure of /proc/PID/status, in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise Failed(f"no {field} in the status of {' '.join(self.process.args)}")

    def forget_peak(self):
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def settle(core):
    """In the child: one core, and as many descriptors as there may be."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return port
        time.sleep(0.05)
    raise Failed(f"nothing listens on port {port}")


def result(args, core):
    """Runs a program to its end; the JSON that it prints."""
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=RUN_SECONDS, preexec_fn=lambda: settle(core))
    if done.returncode != 0:
        raise Failed(f"{' '.join(args)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def load(server, name, scenario, extra):
    """The load against a server."""
    mode = "echo" if scenario.family == "threads" else scenario.family
    args = [str(TARGET / "release" / "bench-load"), mode, "--addr", f"127.0.0.1:{server.port}",
            "--pid", str(server.pid), *scenario.load, *extra]
    if SERVERS[name].sort == "raw" or name == "raw-accept":
        args.append("--raw")
    if scenario.tls:
        args += ["--tls", str(certificate()[0])]
    return result(args, LOAD_CORE)


def client(name, scenario, extra):
    """A client program against one server for all, which is not measured: the fastest there is."""
    with Running("towline" if scenario.tls else "floor-ws", scenario.tls, core=LOAD_CORE) as server:
        args = program(name, "client")
        if name == "load":
            # Of the two figures it has, the second is of itself.
            args += ["churn" if scenario.churn else "echo", "--pid", str(server.pid)]
        elif scenario.churn:
            args.append("--churn")
        if scenario.tls:
            args += ["--tls", str(certificate()[0])]
        args += ["--addr", f"127.0.0.1:{server.port}", *scenario.load, *extra]
        sample = result(args, CONTESTANT_CORE)
        if name == "load":
            sample["cpu_ns"] = sample["load_cpu_ns"]
        return sample


def syscalls(name, scenario):
    """System calls a message, by a short run under strace; None without it."""
    summary = TARGET / "strace.txt"
    prefix = ("strace", "-f", "-c", "-U", "calls,name", "-o", str(summary),
              "-e", "trace=" + ",".join(CALLS))
    try:
        with Running(name, scenario.tls, prefix) as server:
            done = load(server, name, scenario, ("--seconds", "0.3", "--warmup", "0.1"))
            children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), signal.SIGKILL)
            server.process.wait(timeout=10)
        counted = [line.split() for line in summary.read_text().splitlines()]
        calls = sum(int(words[0]) for words in counted if len(words) == 2 and words[1] in CALLS)
        return calls / max(done["total_messages"], 1)
    except (OSError, Failed, subprocess.TimeoutExpired) as error:
        print(f"\nno system calls counted for {name}: {error}", file=sys.stderr)
        return None
