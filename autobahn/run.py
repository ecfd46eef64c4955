#!/usr/bin/env python3
"""Run the Autobahn cases against our server and our client, and compare with expected.json.

Every case must end exactly as expected.json says. A case that is missing, that nobody expected,
that was not strict, or that ended in any other way fails the run.

Two suites can do the work, and they run the same cases:

  original  the Autobahn TestSuite itself, from an archive that holds a Python 2 and the suite:
            the file that AUTOBAHN_BUNDLE names, or the one kept beside this repository
  kosoku    a runner of the same case files on Python 3, installed from PyPI (requirements.txt)

`auto` takes the original where its archive is found.

The server under test is started with a command that prints `listening on ws://HOST:PORT`.
The client under test is a command that gets the suite's URL as its last argument, asks
/getCaseCount, runs /runCase?case=N&agent=NAME for each N, echoing every message, and ends with
/updateReports?agent=NAME.
"""

import argparse
import collections
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

# The groups that we run; the suite has no 8 and no 11. 12 and 13 are permessage-deflate.
GROUPS = [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13]
# Each case of 12 and 13 sends a thousand messages, and the suite's own compressor takes a minute for
# the long ones. `--short` leaves those out: every set of terms is still met, with messages of up to
# 4 KiB, in one frame and in several.
DEFLATE = [12, 13]
LONG = [9, 10, 14, 15, 16, 17, 18]
LEFT_OUT = []

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
EXPECTED = HERE / "expected.json"
BUNDLE = ROOT.parent / "shared" / "interop" / "autobahn" / "bundle.tar.xz"
SERVER = f"{TARGET}/release/towline echo --deflate --listen 127.0.0.1:0"
CLIENT = f"{TARGET}/release/examples/autobahn_client"

# A whole role takes minutes, most of them for the suite's own compressor in groups 12 and 13; a
# machine under load may need many more.
ROLE_SECONDS = 3600
START_SECONDS = 30


class Stop(Exception):
    """The run could not be made at all."""


# --- the two suites ---------------------------------------------------------
#
# Both have the same two methods. Each returns {case id: verdict}. `cannot_judge` names the cases of
# a role that the suite leaves out, for a fault of its own.


class Original:
    """The Autobahn TestSuite, in the Python 2 of its archive."""

    name = "original"
    cannot_judge = {}

    def __init__(self, archive):
        self.home = TARGET / "autobahn" / "original"
        stamp = self.home / "unpacked"
        size = str(archive.stat().st_size)
        if stamp.is_file() and stamp.read_text() == size:
            return
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(parents=True)
        with tarfile.open(archive) as tar:
            tar.extractall(self.home, filter="tar")
        stamp.write_text(size)

    def test_server(self, url, work):
        spec = {"servers": [{"agent": "towline", "url": url}]}
        suite = self._start("fuzzingclient", spec, work)
        finish(suite, ROLE_SECONDS, "the suite")
        return self._verdicts(work)

    def test_client(self, command, work):
        url = f"ws://127.0.0.1:{free_port()}"
        suite = self._start("fuzzingserver", {"url": url}, work)
        try:
            wait_until_open(url, suite)
            # It tells what each case is about, and some want the client to offer other terms.
            status = run_client([*command, "--case-info"], url, work)
            if status != 0:
                raise Stop(f"the client ended with status {status}" + tail(work / "testee.log"))
        finally:
            end(suite)
        return self._verdicts(work)

    def _start(self, mode, spec, work):
        spec |= {
            "outdir": str(work / "reports"),
            "cases": [f"{group}.*" for group in GROUPS],
            "exclude-cases": LEFT_OUT,
            "exclude-agent-cases": {},
        }
        (work / "spec.json").write_text(json.dumps(spec))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        environment |= {
            "PYTHONPATH": str(self.home / "site"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "LD_LIBRARY_PATH": str(self.home / "py2/usr/lib/x86_64-linux-gnu"),
        }
        # Port 0 for the suite's own web pages: nobody looks at them.
        command = [self.home / "py2/usr/bin/pypy", HERE / "original_py2.py"]
        command += ["--mode", mode, "--spec", work / "spec.json", "--webport", "0"]
        return start(command, work / "suite.log", cwd=work, env=environment)

    def _verdicts(self, work):
        index = work / "reports" / "index.json"
        if not index.is_file():
            raise Stop("the suite wrote no report" + tail(work / "suite.log"))
        reports = json.loads(index.read_text())
        if len(reports) != 1:
            raise Stop(f"expected the report of one agent, found {sorted(reports)}")
        [cases] = reports.values()
        return {i: verdict(c["behavior"], c["behaviorClose"]) for i, c in cases.items()}


class Kosoku:
    """The same cases on Python 3. The package lives in an environment of its own."""

    name = "kosoku"
    # It writes all 8 or 16 MiB of these before it reads a byte. A server that echoes as it receives,
    # and holds no message, waits for it once the system's buffers are full.
    unread = ["9.1.5", "9.1.6", "9.2.5", "9.2.6"]
    # Where compression was agreed on it hands an uncompressed message to the case as text, which the
    # case then cannot hash. These have messages of 16 bytes, which we leave uncompressed; our own
    # test `a_thousand_small_messages_are_echoed_on_all_terms` stands for them.
    uncompressed = [f"12.{i}.1" for i in range(1, 6)] + [f"13.{i}.1" for i in range(1, 8)]
    cannot_judge = {"server": unread + uncompressed, "client": uncompressed}

    def __init__(self):
        home = TARGET / "autobahn" / "kosoku"
        self.python = home / "bin" / "python"
        wanted = (HERE / "requirements.txt").read_text()
        stamp = home / "installed"
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        shutil.rmtree(home, ignore_errors=True)
        for command in (
            [sys.executable, "-m", "venv", home],
            [self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
             "-r", HERE / "requirements.txt"],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise Stop(f"cannot install kosoku:\n{done.stdout}{done.stderr}")
        stamp.write_text(wanted)

    def test_server(self, url, work):
        suite = self._start(work, "server", "--server", url)
        finish(suite, ROLE_SECONDS, "the suite")
        return self._verdicts(work)

    def test_client(self, command, work):
        suite = self._start(work, "client", "--client", work / "url")
        try:
            wait_for((work / "url").is_file, suite, "the suite did not start", work / "suite.log")
            # It cuts the connection of /updateReports, and a client may call that a failure: what
            # counts is that all results are there.
            status = run_client(command, (work / "url").read_text(), work)
            finish(suite, 20, f"the suite, after its client had ended with status {status},")
        finally:
            end(suite)
        return self._verdicts(work)

    def _start(self, work, role, *arguments):
        groups = ",".join(map(str, GROUPS))
        command = [self.python, HERE / "kosoku_py3.py", "--groups", groups,
                   "--exclude", ",".join(self.cannot_judge[role] + LEFT_OUT),
                   "--out", work / "verdicts.json", *arguments]
        return start(command, work / "suite.log")

    def _verdicts(self, work):
        try:
            cases = json.loads((work / "verdicts.json").read_text())
        except FileNotFoundError:
            raise Stop("the suite wrote no report" + tail(work / "suite.log")) from None
        return {i: verdict(*behaviors) for i, behaviors in cases.items()}


def verdict(behavior, behavior_close):
    """One word where all is well, the whole story otherwise."""
    if behavior_close in ("OK", "INFORMATIONAL"):
        return behavior
    return f"{behavior}, close {behavior_close}"


def choose_suite(wanted):
    archive = Path(os.environ.get("AUTOBAHN_BUNDLE", BUNDLE))
    if wanted == "kosoku" or (wanted == "auto" and not archive.is_file()):
        return Kosoku()
    if not archive.is_file():
        raise Stop(f"{archive} is not there; set AUTOBAHN_BUNDLE, or use --suite kosoku")
    return Original(archive)


# --- the two roles ----------------------------------------------------------


def run_server_role(suite, command, work):
    server = start(shlex.split(command), work / "testee.log", stdout=subprocess.PIPE)
    try:
        found = suite.test_server(announced_url(server, work), work)
        if server.poll() is not None:
            raise Stop(f"the server ended before the suite did, status {server.returncode}"
                       + tail(work / "testee.log"))
        return found
    finally:
        end(server)


def run_client_role(suite, command, work):
    return suite.test_client(shlex.split(command), work)


def run_client(command, url, work):
    client = start([*command, url], work / "testee.log")
    return finish(client, ROLE_SECONDS, "the client")


def announced_url(server, work):
    """The address in the line `listening on ws://…` that the server prints."""
    found = []

    def read():
        for line in server.stdout:
            match = re.search(r"listening on (wss?://[^\s/]+)", line)
            if match and not found:
                found.append(match.group(1))

    threading.Thread(target=read, daemon=True).start()
    wait_for(lambda: found, server, "the server did not print `listening on ws://…`",
             work / "testee.log")
    return found[0]


# --- processes --------------------------------------------------------------


def start(command, log, stdout=None, **options):
    command = [str(part) for part in command]
    try:
        with open(log, "w") as sink:
            # A group of its own, so that `end` reaches what the command started.
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or sink,
                                    stderr=sink, text=True, start_new_session=True, **options)
    except OSError as error:
        raise Stop(f"cannot start {command[0]}: {error.strerror}; build it first") from None


def finish(process, seconds, who):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        end(process)
        raise Stop(f"{who} had not finished after {seconds} s") from None


def end(process):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, sign)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                pass


def wait_for(condition, process, complaint, log=None):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Stop(complaint + (tail(log) if log else ""))
        time.sleep(0.02)


def wait_until_open(url, process):
    host, port = url.removeprefix("ws://").split(":")

    def is_open():
        try:
            socket.create_connection((host, int(port)), 1).close()
            return True
        except OSError:
            return False

    wait_for(is_open, process, "the suite did not start")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tail(log, lines=15):
    last = Path(log).read_text(errors="replace").splitlines()[-lines:]
    text = "\n".join(line[:200] for line in last)
    return f"\n--- last lines of {Path(log).name}\n{text}" if text else ""


# --- the result -------------------------------------------------------------


def by_number(case):
    return [int(part) for part in case.split(".")]


def differences(role, found, expected):
    """Everything about the cases found that is not as expected, one line each."""
    for case in sorted(found.keys() | expected.keys(), key=by_number):
        if case not in found:
            yield f"{role} {case}: no result, expected {expected[case]}"
        elif case not in expected:
            yield f"{role} {case}: {found[case]}, but expected.json does not know this case"
        elif found[case] != expected[case]:
            yield f"{role} {case}: {found[case]}, expected {expected[case]}"


def of_our_groups(cases):
    ours = {case: v for case, v in cases.items() if int(case.split(".")[0]) in GROUPS}
    return {case: v for case, v in ours.items() if case not in LEFT_OUT}


def write_expected(results):
    table = json.loads(EXPECTED.read_text()) if EXPECTED.is_file() else {}
    for role, found in results.items():
        for case, outcome in found.items():
            if outcome not in ("OK", "INFORMATIONAL"):
                raise Stop(f"{role} {case} is {outcome}: that is never what we expect")
            table.setdefault(case, {})[role] = outcome
    rows = (f"  {json.dumps(case)}: {json.dumps(table[case])}" for case in sorted(table, key=by_number))
    EXPECTED.write_text("{\n" + ",\n".join(rows) + "\n}\n")


def ended(*_):
    """Ended from outside, most likely for being late: says how far the suite and the one under test have come."""
    for log in sorted((TARGET / "autobahn" / "reports").glob("*/*.log")):
        print(f"{log.parent.name}:{tail(log, 3)}", flush=True)
    sys.exit(143)


def main():
    # Whoever ends this ends the suite as well, which is in a group of its own.
    signal.signal(signal.SIGTERM, ended)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--role", choices=["server", "client", "both"], default="both")
    parser.add_argument("--suite", choices=["auto", "original", "kosoku"], default="auto")
    parser.add_argument("--server", metavar="COMMAND", default=SERVER, help="the server under test")
    parser.add_argument("--client", metavar="COMMAND", default=CLIENT, help="the client under test")
    parser.add_argument("--groups", metavar="N", type=int, nargs="+", default=GROUPS, help="these groups alone")
    parser.add_argument("--short", action="store_true", help="without the long cases of groups 12 and 13")
    parser.add_argument("--reports", metavar="DIR", help="keep reports and logs there")
    parser.add_argument("--write-expected", action="store_true", help="make this run the expectation")
    options = parser.parse_args()
    GROUPS[:] = options.groups
    if options.short:
        cases = [case for case in json.loads(EXPECTED.read_text()) if by_number(case)[0] in DEFLATE]
        LEFT_OUT[:] = [case for case in cases if by_number(case)[2] in LONG]

    suite = choose_suite(options.suite)
    roles = {"server": (run_server_role, options.server), "client": (run_client_role, options.client)}
    if options.role != "both":
        roles = {options.role: roles[options.role]}

    # Like its neighbours in the target folder, kept until the next run.
    work = Path(options.reports or TARGET / "autobahn" / "reports").resolve()
    results, wrong = {}, []
    for role, (run, command) in roles.items():
        shutil.rmtree(work / role, ignore_errors=True)
        (work / role).mkdir(parents=True)
        began = time.monotonic()
        found = run(suite, command, work / role)
        results[role] = found
        counts = collections.Counter(found.values())
        totals = ", ".join(f"{n} {kind}" for kind, n in counts.most_common())
        left_out = suite.cannot_judge.get(role, [])
        if left_out:
            totals += f", and not judged: {' '.join(left_out)}"
        print(f"{role}: {len(found)} cases: {totals} ({suite.name} suite, {time.monotonic() - began:.0f} s)", flush=True)
        if not options.write_expected:
            table = json.loads(EXPECTED.read_text())
            expected = of_our_groups({c: row[role] for c, row in table.items() if role in row})
            expected = {c: outcome for c, outcome in expected.items() if c not in left_out}
            wrong += differences(role, found, expected)
    if options.write_expected:
        write_expected(results)
        return 0
    for line in wrong[:40]:
        print("  " + line)
    if len(wrong) > 40:
        print(f"  and {len(wrong) - 40} more")
    if wrong:
        print(f"{len(wrong)} differences from expected.json; reports and logs are in {work}")
        return 1
    print(f"{sum(map(len, results.values()))} cases ended as expected, roles: {', '.join(results)}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as stop:
        print(f"autobahn/run.py: {stop}", file=sys.stderr)
        sys.exit(2)
