#!/usr/bin/env python3
"""The benchmark: runs servers and clients beside each other and prints tables in Markdown.

    run.py                                  everything (hours on a slow machine; see README.md)
    run.py --quick                          three short rounds of everything
    run.py --scenario small16x16d64 --server towline --server raw --rounds 3 --seconds 0.5
    run.py --list                           names of scenarios and servers
    run.py --peer NAME='COMMAND {port}'     one more server, from outside

What counts is work per second of the contestant's own CPU time.
"""
import argparse
import datetime
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from scenarios import SCENARIOS, SERVERS, Server
from tables import number, spread, table

BENCH = Path(__file__).resolve().parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", BENCH / "target")).resolve()
CONTESTANT_CORE, LOAD_CORE = 0, 1
# Where a server announces itself, and how long that may take.
START_SECONDS = 20
LOAD_SECONDS = 300


def main():
    options = arguments()
    if options.list:
        print("scenarios:", *SCENARIOS)
        print("servers:", *SERVERS)
        return
    for name_command in options.peer:
        name, command = name_command.split("=", 1)
        SERVERS[name] = Server("", tuple(command.split()), "foreign")
    scenarios = options.scenario or list(SCENARIOS)
    plan = {name: contestants(name, options.server) for name in scenarios}
    if not options.no_build:
        build({SERVERS[server].package for servers in plan.values() for server in servers})
    samples = {name: measure(name, servers, options) for name, servers in plan.items() if servers}
    print(report(samples, options))
    if options.json:
        options.json.write_text(json.dumps(samples, indent=1))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, metavar="NAME")
    parser.add_argument("--server", action="append", metavar="NAME")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8, help="measured in each round")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 0.3 s")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("--no-syscalls", action="store_true")
    parser.add_argument("--json", type=Path, help="write every sample to this file")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 0.3
    known = set(SERVERS) | {peer.split("=", 1)[0] for peer in options.peer}
    for name in options.server or []:
        if name not in known:
            parser.error(f"no server {name!r}; --list names them")
    return options


def contestants(scenario, asked):
    """Who takes part in a scenario."""
    scenario = SCENARIOS[scenario]
    families = {scenario.family} | ({"tls"} if scenario.tls else set())
    names = []
    for name, server in SERVERS.items():
        fits = not families & set(server.without)
        fits &= not server.only or bool(families & set(server.only))
        fits &= not scenario.servers or name in scenario.servers
        if fits and (asked is None or name in asked):
            names.append(name)
    return names


def build(packages):
    """Every contestant with the same compiler settings."""
    flags = dict(os.environ, RUSTFLAGS="-C target-cpu=native", CARGO_TARGET_DIR=str(TARGET),
                 CARGO_INCREMENTAL="0", CARGO_PROFILE_RELEASE_LTO="fat",
                 CARGO_PROFILE_RELEASE_CODEGEN_UNITS="1")
    # One by one: what one needs does not decide which features another is built with.
    for package in sorted(packages | {"bench-load", "bench-raw"} - {""}):
        folder = BENCH.parent if package == "towline-cli" else BENCH
        subprocess.run(["cargo", "build", "--quiet", "--release", "--locked", "-p", package],
                       cwd=folder, env=flags, check=True)


def binary(package):
    return str(TARGET / "release" / ("towline" if package == "towline-cli" else package))


def certificate():
    folder = TARGET / "certificate"
    if not (folder / "key.pem").exists():
        subprocess.run([binary("bench-raw"), "cert", str(folder)], check=True)
    return folder / "cert.pem", folder / "key.pem"


class Running:
    """A server, pinned to its core, until the end of the block."""

    def __init__(self, name, tls=False, prefix=(), core=CONTESTANT_CORE):
        server = SERVERS[name]
        args = list(server.args)
        port = None
        if server.package:
            args = [binary(server.package), *args]
        elif any("{port}" in arg for arg in args):
            port = free_port()
            args = [arg.replace("{port}", str(port)) for arg in args]
        if tls:
            cert, key = certificate()
            args += ["--cert", str(cert), "--key", str(key)]
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen([*prefix, *args], stdout=subprocess.PIPE, stderr=quiet,
                                        preexec_fn=lambda: settle(core))
        self.pid = self.process.pid
        self.port = wait_for(port) if port else self.announced()

    def announced(self):
        line = self.process.stdout.readline().decode().strip()
        if ":" not in line:
            raise RuntimeError(f"{self.process.args} did not say where it listens: {line!r}")
        return int(line.rsplit(":", 1)[1])

    def status(self, field):
        """A figure of /proc/PID/status, in MiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise RuntimeError(f"no {field}")

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
    import resource
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
    raise RuntimeError(f"nothing listens on port {port}")


def load(server, name, scenario, extra):
    """Runs the load against a server; its result."""
    args = [binary("bench-load"), scenario.family, "--addr", f"127.0.0.1:{server.port}",
            "--pid", str(server.pid), *scenario.load, *extra]
    if SERVERS[name].sort == "raw" or name == "raw-accept":
        args.append("--raw")
    if scenario.tls:
        args += ["--tls", str(certificate()[0])]
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=LOAD_SECONDS, preexec_fn=lambda: settle(LOAD_CORE))
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(args)}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def measure(scenario_name, servers, options):
    """Rounds, in each of which every server has its turn; server -> samples."""
    scenario = SCENARIOS[scenario_name]
    samples = {name: [] for name in servers}
    for turn in range(options.rounds):
        # Nobody is always the first, or always behind the same one.
        for name in servers[turn % len(servers):] + servers[:turn % len(servers)]:
            progress(f"{scenario_name} {turn + 1}/{options.rounds} {name}")
            try:
                sample = once(name, scenario, options)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                print(f"\n{scenario_name}, {name}: {error}", file=sys.stderr)
                continue
            samples[name].append(sample)
    if scenario.family == "echo" and not options.no_syscalls:
        for name in servers:
            progress(f"{scenario_name} system calls {name}")
            calls = syscalls(name, scenario)
            for sample in samples[name]:
                sample["syscalls"] = calls
    progress("")
    return samples


def once(name, scenario, options):
    with Running(name, scenario.tls) as server:
        base = server.status("VmRSS")
        server.forget_peak()
        extra = ["--seconds", str(options.seconds)]
        sample = load(server, name, scenario, extra)
        sample["base_mib"] = base
        sample["peak_mib"] = server.status("VmHWM")
    sample["work"] = sample["messages"]
    sample["us"] = sample["cpu_ns"] / 1000 / max(sample["messages"], 1)
    return sample


CALLS = ("read", "write", "readv", "writev", "recvfrom", "sendto", "recvmsg", "sendmsg",
         "epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "futex")


def syscalls(name, scenario):
    """System calls a message, by a short run under strace; None without it."""
    summary = TARGET / "strace.txt"
    prefix = ("strace", "-f", "-c", "-U", "calls,name", "-o", str(summary),
              "-e", "trace=" + ",".join(CALLS))
    try:
        with Running(name, scenario.tls, prefix) as server:
            extra = ["--seconds", "0.3", "--warmup", "0.1"]
            result = load(server, name, scenario, extra)
            for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            server.process.wait(timeout=10)
        calls = 0
        for line in summary.read_text().splitlines():
            words = line.split()
            if len(words) == 2 and words[0].isdigit() and words[1] in CALLS:
                calls += int(words[0])
        return calls / max(result["total_messages"], 1)
    except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"\nno system calls counted for {name}: {error}", file=sys.stderr)
        return None


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def middle(samples, field):
    values = [sample[field] for sample in samples if sample.get(field) is not None]
    return median(values) if values else None


def report(samples, options):
    parts = [f"{datetime.date.today()}, {platform.release()}, {cpu_model()}, load average "
             f"{os.getloadavg()[0]:.1f}; {options.rounds} rounds of {options.seconds} s"]
    for name, servers in samples.items():
        parts += [f"**{name}**", details(SCENARIOS[name], servers)]
    parts += ["**Summary**", summary(samples)]
    return "\n\n".join(parts)


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} × {line.split(':', 1)[1].strip()}"
    return "?"


def details(scenario, servers):
    limit = middle(servers.get(scenario.limit, []), "us")
    rows = []
    for name, samples in sorted(servers.items(), key=lambda item: middle(item[1], "us") or 1e9):
        us = middle(samples, "us")
        p50, p99, p999 = (median(sample["latency_us"][at] for sample in samples)
                          if samples else None for at in ("p50", "p99", "p999"))
        rows.append((name, spread([sample["us"] for sample in samples]),
                     number(limit / us if limit and us else None),
                     number(p50), number(p99), number(p999),
                     number(middle(samples, "syscalls")),
                     number(middle(samples, "base_mib")), number(middle(samples, "peak_mib"))))
    return table(("server", "CPU µs a message: median [min..max]", f"× {scenario.limit}", "p50 µs",
                  "p99 µs", "p99.9 µs", "syscalls a message", "base MiB", "peak MiB"), rows)


def summary(samples):
    """Each of ours against the limit, the fastest Rust peer and the targets."""
    rows = []
    for name, servers in samples.items():
        scenario = SCENARIOS[name]
        limit = middle(servers.get(scenario.limit, []), "us")
        peers = {peer: middle(done, "us") for peer, done in servers.items()
                 if SERVERS[peer].sort == "peer" and done}
        best = min(peers, key=peers.get) if peers else None
        for ours, done in servers.items():
            us = middle(done, "us")
            if SERVERS[ours].sort != "ours" or not us:
                continue
            of_limit = limit / us if limit else None
            of_peer = peers[best] / us if best else None
            rows.append((name, ours, f"{number(of_limit)} of {scenario.limit}",
                         verdict(of_limit, scenario.of_limit),
                         f"{number(of_peer)} of {best or 'peers'}",
                         verdict(of_peer, scenario.of_peer)))
    return table(("scenario", "ours", "against the limit", "target", "against the fastest peer",
                  "target"), rows)


def verdict(ratio, target):
    if target is None:
        return "–"
    if ratio is None:
        return f"≥ {target}"
    return f"≥ {target}: {'holds' if ratio >= target else 'short'}"


if __name__ == "__main__":
    main()
