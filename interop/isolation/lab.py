"""The network in which isolation is tried: this machine, and a world behind a cable, both made for it."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = Path(os.environ["WORK"])
TOWLINE = os.environ["TOWLINE"]
NOBODY = 65534

PUBLIC, OTHER_PUBLIC, PUBLIC6 = "8.8.8.8", "1.1.1.1", "2606:4700::1111"
PRIVATE, CGNAT, PRIVATE6 = "10.9.9.9", "100.64.0.9", "fd77::2"
METADATA, METADATA6 = "169.254.169.254", "fd00:ec2::254"
NAT64, SIX_TO_FOUR = "64:ff9b::a09:909", "2002:a9fe:a9fe::1"
LAN, LAN6 = "192.168.77.1", "fd77::1"  # the machine's own
NEIGHBOUR = "192.168.77.2"
NAME_SERVER = "10.255.255.53"
FAR = [PUBLIC, OTHER_PUBLIC, PRIVATE, CGNAT, METADATA, NEIGHBOUR, NAME_SERVER, PUBLIC6, PRIVATE6, METADATA6,
       NAT64, SIX_TO_FOUR]
PORT, UDP_PORT = 8080, 9000


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


class Lab:
    """Both networks, while it is entered."""

    def __init__(self):
        self.here, self.far = f"towline-{os.getpid()}-here", f"towline-{os.getpid()}-far"
        self.processes = []

    def __enter__(self):
        for name in (self.here, self.far):
            ip("netns", "add", name)
        ip("-n", self.here, "link", "add", "v0", "type", "veth", "peer", "name", "v1", "netns", self.far)
        for name, link in ((self.here, "v0"), (self.far, "v1")):
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", link, "up")
        ip("-n", self.here, "addr", "add", f"{LAN}/24", "dev", "v0")
        ip("-n", self.here, "addr", "add", f"{LAN6}/64", "dev", "v0", "nodad")
        ip("-n", self.far, "addr", "add", f"{NEIGHBOUR}/24", "dev", "v1")
        ip("-n", self.far, "addr", "add", f"{PRIVATE6}/64", "dev", "v1", "nodad")
        for address in FAR:
            if address not in (NEIGHBOUR, PRIVATE6):
                bits = 128 if ":" in address else 32
                ip("-n", self.far, "addr", "add", f"{address}/{bits}", "dev", "lo")
        ip("-n", self.here, "route", "add", "default", "via", NEIGHBOUR)
        ip("-n", self.here, "route", "add", "default", "via", PRIVATE6)
        ip("-n", self.here, "route", "add", "unreachable", "9.9.9.0/24")
        names = Path("/etc/netns") / self.here
        names.mkdir(parents=True)
        (names / "resolv.conf").write_text(f"nameserver {NAME_SERVER}\noptions timeout:1 attempts:1\n")
        self.world = subprocess.Popen(
            ["ip", "netns", "exec", self.far, sys.executable, HERE / "far.py", ",".join(FAR), NAME_SERVER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.processes.append(self.world)
        if self.world.stdout.readline() != "ready\n":
            raise AssertionError("the world did not begin")
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        for name in (self.here, self.far):
            subprocess.run(["ip", "netns", "delete", name], check=False)
        shutil.rmtree(Path("/etc/netns") / self.here, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir("/etc/netns")

    def reached(self):
        """What the world counted since the last time."""
        self.world.stdin.write("\n")
        self.world.stdin.flush()
        return json.loads(self.world.stdout.readline())

    def command(self, command, far=False):
        """A command, as an ordinary user of this machine; or of the world's."""
        return ["ip", "netns", "exec", self.far if far else self.here, "setpriv", f"--reuid={NOBODY}",
                f"--regid={NOBODY}", "--clear-groups", "env", "HOME=/nonexistent", *map(str, command)]

    def run(self, command, far=False, seconds=60, **options):
        done = subprocess.run(self.command(command, far), capture_output=True, text=True, timeout=seconds,
                              stdin=subprocess.DEVNULL, **options)
        return done

    def start(self, command, far=False, **options):
        process = subprocess.Popen(self.command(command, far), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, **{"stdin": subprocess.DEVNULL} | options)
        self.processes.append(process)
        return process

    def isolated(self, manifest, command, *flags):
        return [TOWLINE, "run", "--manifest", manifest, *flags, "--", *command]

    def run_isolated(self, manifest, command, *flags, **options):
        return self.run(self.isolated(manifest, command, *flags), **options)


def manifest(name, *capabilities, more=""):
    """A manifest of an app that declares these."""
    path = WORK / f"{name}.toml"
    declared = ", ".join(f'"{c}"' for c in capabilities)
    path.write_text(f'[app]\nname = "{name}"\ncapabilities = [{declared}]\n{more}')
    path.chmod(0o644)
    return path


def wait_for(condition, what, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.02)
