#!/usr/bin/env python3
"""The benchmark: runs servers and clients beside each other and prints tables in Markdown.

    run.py                                  everything; an hour and more
    run.py --quick                          three short rounds of everything
    run.py --scenario small16x16d64 --server towline-recv --server raw --rounds 3 --seconds 0.5
    run.py --list                           names of scenarios and servers
    run.py --peer NAME='COMMAND {port}'     one more server, from outside

What counts is work per second of the contestant's own CPU time. README.md has the rest.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import contestants
from contestants import Failed, Running
from report import report
from scenarios import SCENARIOS, SERVERS, Server


def main():
    options = arguments()
    if options.list:
        print("scenarios:", *SCENARIOS)
        print("servers:", *SERVERS)
        return
    plan = {name: taking_part(name, options.server) for name in options.scenario or SCENARIOS}
    if not options.no_build:
        contestants.build({SERVERS[name].package for names in plan.values() for name in names})
    samples = {}
    try:
        for name, names in plan.items():
            if names:
                samples[name] = measure(name, names, options)
    except KeyboardInterrupt:
        print("\ninterrupted; so far:", file=sys.stderr)
    print(report(samples, options.rounds, options.seconds))
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
    parser.add_argument("--connections", type=int, default=10_000, help="in idle")
    parser.add_argument("--json", type=Path, help="write every sample to this file")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 3, 0.3
    for name_command in options.peer:
        name, command = name_command.split("=", 1)
        without = ("tls", "client", "deflate", "threads")
        SERVERS[name] = Server("", tuple(command.split()), "foreign", without=without)
    for name in options.server or []:
        if name not in SERVERS:
            parser.error(f"no server {name!r}; --list names them")
    return options


def taking_part(scenario, asked):
    """Who takes part in a scenario."""
    families = SCENARIOS[scenario].families()
    return [name for name, server in SERVERS.items()
            if not families & set(server.without)
            and (not server.only or families & set(server.only))
            and (asked is None or name in asked)]


def measure(scenario_name, names, options):
    """Rounds, in each of which everybody has a turn; name -> samples."""
    scenario = SCENARIOS[scenario_name]
    samples = {name: [] for name in names}
    for turn in range(options.rounds):
        # Nobody is always the first, or always behind the same one.
        start = turn % len(names)
        for name in names[start:] + names[:start]:
            progress(f"{scenario_name} {turn + 1}/{options.rounds} {name}")
            try:
                samples[name].append(once(name, scenario, options))
            except (Failed, subprocess.TimeoutExpired) as error:
                print(f"\n{scenario_name}, {name}: {error}", file=sys.stderr)
    if scenario.family in ("echo", "churn", "deflate") and not options.no_syscalls:
        for name in names:
            progress(f"{scenario_name} system calls {name}")
            calls = contestants.syscalls(name, scenario)
            for sample in samples[name]:
                sample["syscalls"] = calls
    progress("")
    return samples


def once(name, scenario, options):
    """One sample; its `us` is CPU time in microseconds, a message or in all."""
    times = ("--seconds", str(options.seconds))
    if scenario.family == "client":
        sample = contestants.client(name, scenario, times)
    else:
        # Two threads on one core would take turns, which is no scaling.
        core = None if scenario.family == "threads" else contestants.CONTESTANT_CORE
        extra = {"huge": (), "idle": ("--connections", str(options.connections))}
        with Running(name, scenario.tls, core=core) as server:
            base = server.status("VmRSS")
            server.forget_peak()
            sample = contestants.load(server, name, scenario,
                                      extra.get(scenario.family, times))
            sample |= {"base_mib": base, "peak_mib": server.status("VmHWM") - base}
    if sample.get("messages") == 0:
        raise Failed("no message came back within the window; give it more --seconds")
    if "cpu_ns" in sample:
        sample["us"] = sample["cpu_ns"] / 1000 / sample.get("messages", 1)
    return sample


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
