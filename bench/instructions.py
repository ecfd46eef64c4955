#!/usr/bin/env python3
"""Count the instructions of one echoed message: instructions.py PROGRAM [--update] [--peers]

PROGRAM is bench-towline; with --peers, bench-peers beside it is counted too. Each API echoes messages
of 16 bytes over a stream in memory under callgrind, 64 a read, and one a read, for which the runtime's
part counts as well. Each is counted twice, with few messages and with many: the difference is what a
message costs, without what starting costs. Compares with instructions.json beside this file; a figure
more than 3 % above is a failure.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from scenarios import SERVERS

COMMITTED = Path(__file__).with_name("instructions.json")
# Messages a read: how few and how many are echoed.
DEPTHS = {64: (20_000, 60_000), 1: (4_000, 12_000)}
TOLERANCE = 0.03
# What would make one machine count otherwise than another: the environment lies on the stack, and
# libc chooses its routines by what the CPU can do.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-ERMS,-FSRM",
}


def collected(command):
    """Instructions that callgrind counted in a run."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command],
            env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
        return int(re.search(r"^summary: (\d+)$", out.read_text(), re.MULTILINE)[1])


def a_message(program, *args):
    """Instructions that each message costs, for each depth."""
    counted = {}
    for depth, few_and_many in DEPTHS.items():
        few, many = (
            collected([program, *args, "micro", "--depth", str(depth), "--messages", str(count)])
            for count in few_and_many)
        counted[depth] = round((many - few) / (few_and_many[1] - few_and_many[0]), 1)
    return counted


def text(counted):
    return " and ".join(f"{count} at {depth} a read" for depth, count in counted.items())


def main():
    program = sys.argv[1]
    update = "--update" in sys.argv[2:]
    committed = json.loads(COMMITTED.read_text()) if COMMITTED.exists() else {}
    apis = subprocess.run([program, "apis"], stdout=subprocess.PIPE, text=True, check=True)
    counted = {f"{api} {depth}": count for api in apis.stdout.split()
               for depth, count in a_message(program, "--api", api).items()}
    if "--peers" in sys.argv[2:]:
        peers = str(Path(program).with_name("bench-peers"))
        for name, server in SERVERS.items():
            if server.package == "bench-peers" and not server.only:
                print(f"{name}: {text(a_message(peers, *server.args))}")
    if update:
        COMMITTED.write_text(json.dumps(counted, indent=2) + "\n")
    worse = []
    for api, count in counted.items():
        before = committed.get(api)
        if before is None:
            note = "not yet in instructions.json"
            worse += [] if update else [api]
        else:
            change = count / before - 1
            note = f"{change:+.1%} against {before}"
            if change > TOLERANCE:
                note += f": more than {TOLERANCE:.0%} above"
                worse += [] if update else [api]
            elif change < -TOLERANCE:
                note += ": better; write it down with scripts/instructions --update"
        print(f"{api} a read: {count} instructions a message of 16 bytes, {note}")
    for api in committed.keys() - counted.keys():
        print(f"{api}: in instructions.json, but no longer counted")
        worse += [] if update else [api]
    if worse:
        sys.exit(f"{', '.join(worse)}: find out why; if it must be so, scripts/instructions --update "
                 "and say why in the commit")
    print(", ".join(f"{api} a read {count}" for api, count in counted.items())
          + " instructions a message" + (", written down" if update else ""))


if __name__ == "__main__":
    main()
