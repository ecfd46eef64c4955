#!/usr/bin/env python3
"""What `towline run` costs: a table, isolated beside plain, interleaved in one run.

WORK is a folder that ordinary users can read, TOWLINE the command.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "isolation"))

from lab import PUBLIC, WORK, Lab, manifest  # noqa: E402

ROUNDS = 7
PORT = 8090
COST = WORK / "cost"


def main():
    app = manifest("internet", "internetClient")
    with Lab() as lab:
        server = lab.start([COST, "serve", PUBLIC, PORT], far=True)
        if server.stdout.readline() != "listens\n":
            raise SystemExit("the other end does not listen")
        rows = [("connect, median", "connect", 2000, "us", 1e-3),
                ("64 bytes there and back, median", "echo", 20000, "us", 1e-3),
                ("bulk", "bulk", 2000, "MB/s", 1)]
        found = {name: ([], []) for name, *_ in rows}
        found["start of /bin/true"] = ([], [])
        for _ in range(ROUNDS):
            for name, how, n, _, factor in rows:
                command = [COST, how, PUBLIC, PORT, n]
                for at, done in enumerate((lab.run(command), lab.run(lab.isolated(app, command)))):
                    if done.returncode:
                        raise SystemExit(f"{name}: {done.stderr}")
                    found[name][at].append(float(done.stdout) * factor)
            for at, command in enumerate((["/bin/true"], lab.isolated(app, ["/bin/true"]))):
                began = time.monotonic()
                lab.run(command)
                found["start of /bin/true"][at].append((time.monotonic() - began) * 1e3)
        units = {name: unit for name, _, _, unit, _ in rows} | {"start of /bin/true": "ms"}
        print("| | plain | `towline run` | difference |\n|---|---|---|---|")
        for name, (plain, isolated) in found.items():
            p, i = statistics.median(plain), statistics.median(isolated)
            print(f"| {name} | {p:.1f} {units[name]} | {i:.1f} {units[name]} | {i - p:+.1f} {units[name]}, x{i / p:.2f} |")


if __name__ == "__main__":
    main()
