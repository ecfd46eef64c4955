#!/usr/bin/env python3
"""Unmodified programs under `towline run`, as an ordinary user, against a world of all classes of
addresses; and every way out that we know, each with a run without isolation in which it gets through.

WORK is a folder that ordinary users can write to, TOWLINE the command, SECONDS how long each race goes on.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "isolation"))

from checks import Skipped, check, contains, equal, run_checks  # noqa: E402
from lab import (CGNAT, LAN, METADATA, METADATA6, NAT64, NEIGHBOUR, OTHER_PUBLIC, PORT, PRIVATE,  # noqa: E402
                 PRIVATE6, PUBLIC, PUBLIC6, SIX_TO_FOUR, TOWLINE, UDP_PORT, WORK, Lab, manifest, wait_for)

SECONDS = os.environ.get("SECONDS_EACH", "60")
ATTACK = WORK / "attack"

NONE = manifest("none")
INTERNET = manifest("internet", "internetClient")
PRIVATE_APP = manifest("private", "privateNetworkClientServer")
SERVER = manifest("server", "internetClientServer")
ALL = manifest("all", "internetClientServer", "privateNetworkClientServer")


def url(address, port=PORT):
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


def curl(address, port=PORT):
    return ["curl", "--silent", "--show-error", "--max-time", "10", "--noproxy", "*", url(address, port)]


# One that ordinary users may run: the one that runs this may be somebody's own.
PYTHON = "/usr/bin/python3"


def python(code, *arguments):
    return [PYTHON, "-c", textwrap.dedent(code), *map(str, arguments)]


def fetched(lab, app, address):
    """Whether an isolated curl gets the page of an address, and the world agrees."""
    lab.reached()
    done = lab.run_isolated(app, curl(address))
    there = lab.reached().get(f"tcp {address}", 0)
    got = done.stdout == f"hello from {address}\n"
    if got != (there > 0):
        raise AssertionError(f"{address}: curl says {done.stdout!r} {done.stderr!r}, the world counts {there}")
    return got, done.stderr


def needs(*programs):
    for name in programs:
        if shutil.which(name) is None:
            raise Skipped(f"{name} is not installed")


# --- what a program reaches ---------------------------------------------------------------------------


@check("12 an app with internetClient reaches the Internet and nothing else")
def internet_client(lab):
    for address in (PUBLIC, OTHER_PUBLIC, PUBLIC6):
        equal((address, fetched(lab, INTERNET, address)[0]), (address, True))
    for address in (PRIVATE, CGNAT, PRIVATE6, NEIGHBOUR, METADATA, METADATA6, NAT64, SIX_TO_FOUR):
        got, why = fetched(lab, INTERNET, address)
        equal((address, got), (address, False))
        contains(why, "towline: curl: connect: ", address)
    done = lab.run_isolated(INTERNET, curl("pub.test"))
    equal(done.stdout, f"hello from {PUBLIC}\n")


@check("13 an app with privateNetworkClientServer reaches its network, and neither Internet nor metadata")
def private_network(lab):
    for address in (PRIVATE, CGNAT, PRIVATE6, NEIGHBOUR):
        equal((address, fetched(lab, PRIVATE_APP, address)[0]), (address, True))
    for address in (PUBLIC, PUBLIC6, METADATA, METADATA6, SIX_TO_FOUR):
        equal((address, fetched(lab, PRIVATE_APP, address)[0]), (address, False))


@check("14 an app without capabilities sends no packet at all")
def nothing(lab):
    watch = subprocess.Popen(
        ["ip", "netns", "exec", lab.here, sys.executable, "-c", textwrap.dedent("""
            import socket
            s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            s.bind(("v0", 3))
            print("ready", flush=True)
            while True:
                data, (_, protocol, kind, *_) = s.recvfrom(65535)
                # What the machine says of itself to its neighbours is not the app's.
                neighbours = protocol == 0x86dd and data[6] in (0, 58)
                if kind == 4 and protocol in (0x0800, 0x86dd) and not neighbours:
                    print(protocol, data[:60].hex(), flush=True)
            """)], stdout=subprocess.PIPE, text=True)
    try:
        equal(watch.stdout.readline(), "ready\n")
        for address in (PUBLIC, PRIVATE, PUBLIC6, METADATA, "pub.test"):
            done = lab.run_isolated(NONE, curl(address))
            equal(done.returncode in (6, 7), True)
        for address in (PUBLIC, PUBLIC6):
            lab.run_isolated(NONE, python(SEND, address))
        equal(lab.reached(), {})
    finally:
        watch.terminate()
    equal(watch.communicate()[0], "")


SEND = f"""
    import socket, sys
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(1)
    s.connect((sys.argv[1], {UDP_PORT}))
    s.send(b"hello")
    print(s.recv(100).decode())
"""


@check("12 unmodified programs: python, node, java, perl, bash, git, our own")
def programs(lab):
    needs("node", "perl", "bash", "java", "git")
    tries = {
        "python": python(f"import urllib.request as u; print(u.urlopen('{url(PUBLIC)}').read().decode())"),
        "asyncio": python(f"""
            import asyncio
            async def main():
                reader, writer = await asyncio.open_connection("{PUBLIC}", {PORT})
                writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
                print((await reader.read()).decode())
            asyncio.run(main())"""),
        "node": ["node", "-e", f"require('http').get('{url(PUBLIC)}', r => r.pipe(process.stdout))"],
        "perl": ["perl", "-MIO::Socket::INET", "-e",
                 f'$s = IO::Socket::INET->new("{PUBLIC}:{PORT}") or die $!; '
                 'print $s "GET / HTTP/1.0\\r\\n\\r\\n"; print <$s>'],
        "bash": ["bash", "-c", f"exec 3<>/dev/tcp/{PUBLIC}/{PORT}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"],
    }
    for name, command in tries.items():
        done = lab.run_isolated(INTERNET, command)
        contains(f"{name}: {done.stdout} {done.stderr}", f"hello from {PUBLIC}")
        other = [word.replace(PUBLIC, PRIVATE) for word in command]
        done = lab.run_isolated(INTERNET, other)
        contains(done.stderr, f"{PRIVATE}")
        equal((name, "hello" in done.stdout), (name, False))
    equal(lab.reached().get(f"tcp {PRIVATE}", 0), 0)
    source = WORK / "Fetch.java"
    source.write_text(textwrap.dedent(f"""
        import java.net.*; import java.nio.channels.*;
        class Fetch {{
            public static void main(String[] words) throws Exception {{
                var fetch = (HttpURLConnection) new URL("{url(PUBLIC)}").openConnection();
                System.out.println(fetch.getResponseCode());
                // Registered before it connects.
                var selector = Selector.open();
                var channel = SocketChannel.open();
                channel.configureBlocking(false);
                channel.register(selector, SelectionKey.OP_CONNECT);
                channel.connect(new InetSocketAddress("{PUBLIC}", {PORT}));
                System.out.println(selector.select(5000) + " " + channel.finishConnect());
                try {{
                    new Socket("{PRIVATE}", {PORT});
                    System.out.println("reached");
                }} catch (Exception error) {{
                    System.out.println(error.getMessage());
                }}
            }}
        }}"""))
    done = lab.run_isolated(INTERNET, ["java", source], seconds=120)
    equal(done.stdout.split("\n")[:2], ["200", "1 true"])
    contains(done.stdout, "Permission denied")
    git = lab.run_isolated(INTERNET, ["git", "ls-remote", url(PRIVATE)])
    contains(git.stderr, f"{PRIVATE}")
    own = lab.run_isolated(INTERNET, [TOWLINE, "connect", f"ws://{PRIVATE}:{PORT}/"])
    contains(own.stderr, "Permission denied")
    equal(lab.reached().get(f"tcp {PRIVATE}", 0), 0)


@check("15 an app that may know some names alone asks for no other")
def names(lab):
    app = manifest("names", "privateNetworkClientServer", more='[dns]\nmode = "names"\nnames = ["corp.example"]\n')
    lab.reached()
    for name, got in (("corp.example", True), ("pub.test", False), ("corp.example.evil.test", False)):
        done = lab.run_isolated(app, python("import socket, sys; print(socket.gethostbyname(sys.argv[1]))", name))
        equal((name, done.stdout == f"{PRIVATE}\n"), (name, got))
    equal([n for n in lab.reached() if n.startswith("dns ")], ["dns corp.example"])


@check("15 names of this machine, and what is no question, are sent to no name server")
def questions(lab):
    code = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1)
        s.connect(("10.255.255.53", 53)); s.send(bytes.fromhex(sys.argv[1]))
        try: print(s.recv(999).hex())
        except OSError as error: print(error)
    """
    localhost = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\x06secret\x09localhost\0\0\1\0\1"
    public = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\x03pub\x04test\0\0\1\0\1"
    record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x08\x08\x08\x08"
    changed = lambda at, byte, behind=b"": public[:at] + bytes([byte]) + public[at + 1:] + behind
    off = manifest("off", "internetClient", more='[dns]\nmode = "off"\n')
    lab.reached()
    for question, apps in ((localhost, (NONE, off, INTERNET)), (changed(2, 0x29), (INTERNET,)), (public + b"x", (INTERNET,)),
                           (changed(7, 1, record), (INTERNET,)), (changed(9, 1, record), (INTERNET,)),
                           (changed(11, 1, record), (INTERNET,))):
        lab.run(python(code, question.hex()))
        equal([n for n in lab.reached() if n.startswith("dns")], ["dns secret.localhost" if question == localhost else "dns pub.test"])
        for app in apps:
            done = lab.run_isolated(app, python(code, question.hex()))
            equal((question, app.stem, lab.reached()), (question, app.stem, {}))
            answer = bytes.fromhex(done.stdout)
            equal(answer[:2], question[:2])
            equal((answer[3] & 15, answer[-4:]) if question == localhost else answer[3] & 15,
                  (0, b"\x7f\0\0\1") if question == localhost else 5)
    # And one that is a question goes, with an option record too.
    for question in (public, changed(11, 1, b"\0\0\x29\x04\xd0\0\0\0\0\0\0")):
        lab.run_isolated(INTERNET, python(code, question.hex()))
        equal(lab.reached(), {"dns pub.test": 1})


@check("16 connecting without waiting, registered before, within a time, and interrupted")
def ways_to_wait(lab):
    done = lab.run_isolated(INTERNET, python(f"""
        import errno, select, signal, socket, time
        where = ("{PUBLIC}", {PORT})
        # Registered with epoll before it connects, and changed and ended after.
        s = socket.socket(); s.setblocking(False)
        e = select.epoll(); e.register(s, select.EPOLLOUT)
        assert s.connect_ex(where) in (0, errno.EINPROGRESS)
        [(number, events)] = e.poll(5)
        assert number == s.fileno() and events == select.EPOLLOUT, events
        s.send(b"GET / HTTP/1.0\\r\\n\\r\\n")
        e.modify(s, select.EPOLLIN)
        assert e.poll(5) == [(s.fileno(), select.EPOLLIN)]
        assert s.recv(100).startswith(b"HTTP/1.1 200"), "no page"
        e.unregister(s); assert e.poll(0) == []
        # By poll.
        s = socket.socket(); s.setblocking(False)
        s.connect_ex(where); p = select.poll(); p.register(s, select.POLLOUT)
        assert p.poll(5000) and s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert s.connect_ex(where) in (0, errno.EISCONN)
        # An alarm interrupts a connection that nobody answers.
        class Rang(Exception): pass
        def rang(*_): raise Rang
        signal.signal(signal.SIGALRM, rang)
        for limit in (None, 1.0):
            s = socket.socket(); s.settimeout(limit); began = time.monotonic()
            signal.setitimer(signal.ITIMER_REAL, 0.5 if limit is None else 5)
            try:
                s.connect(("1.0.0.1", 81)); print("connected")
            except (Rang, TimeoutError) as error:
                assert 0.4 < time.monotonic() - began < 3, error
            signal.setitimer(signal.ITIMER_REAL, 0)
        # SO_SNDTIMEO (socket(7)).
        s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, (500).to_bytes(8, "little") * 0 + (0).to_bytes(8, "little") + (500000).to_bytes(8, "little"))
        began = time.monotonic()
        assert s.connect_ex(("1.0.0.1", 81)) == errno.EINPROGRESS
        assert 0.4 < time.monotonic() - began < 3
        print("all")
    """))
    equal((done.stdout, done.stderr), ("all\n", ""))
    # Ctrl-C, as a terminal sends it: to the whole group.
    process = lab.start(lab.isolated(INTERNET, python("""
        import socket
        print("begins", flush=True)
        socket.create_connection(("1.0.0.1", 81))""")), start_new_session=True)
    equal(process.stdout.readline(), "begins\n")
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(10)
    contains(process.stderr.read(), "KeyboardInterrupt")


@check("17 ten thousand connections leave nothing behind")
def many(lab):
    process = lab.start(lab.isolated(INTERNET, python(f"""
        import os, socket, sys, threading
        where = ("{PUBLIC}", {PORT})
        def rounds(n):
            for _ in range(n):
                s = socket.create_connection(where)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\\1\\0\\0\\0\\0\\0\\0\\0")
                s.close()
        rounds(100)
        before = len(os.listdir("/proc/self/fd"))
        print("begins", flush=True); sys.stdin.readline()
        rounds(10000)
        threads = [threading.Thread(target=rounds, args=(1,)) for _ in range(1000)]
        [t.start() for t in threads]; [t.join() for t in threads]
        print(len(os.listdir("/proc/self/fd")) - before, flush=True); sys.stdin.readline()
    """)), stdin=subprocess.PIPE)
    equal(process.stdout.readline(), "begins\n")
    before = supervisor_state(process.pid)
    process.stdin.write("\n")
    process.stdin.flush()
    equal(process.stdout.readline(), "0\n")
    time.sleep(0.2)
    equal(supervisor_state(process.pid), before)
    process.communicate("\n")


def children(process):
    listed = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [int(child) for child in listed]


def supervisor_of(process):
    """The supervisor of what `ip netns exec … towline run` became: its only child."""
    [supervisor] = children(process)
    return supervisor


def supervisor_state(process):
    """How many descriptors and threads the supervisor has."""
    at = Path(f"/proc/{supervisor_of(process)}")
    return len(list((at / "fd").iterdir())), len(list((at / "task").iterdir()))


OPTIONS = f"""
    import json, socket, struct
    s = socket.socket()
    wanted = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
              (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 7),
              (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3), (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 9000),
              (socket.IPPROTO_IP, socket.IP_TOS, 0x10), (socket.IPPROTO_IP, socket.IP_TTL, 33),
              (socket.SOL_SOCKET, socket.SO_SNDBUF, 50000), (socket.SOL_SOCKET, socket.SO_RCVBUF, 60000)]
    for level, name, value in wanted: s.setsockopt(level, name, value)
    for name, value in ((socket.SO_LINGER, struct.pack("ii", 1, 5)), (socket.SO_RCVTIMEO, struct.pack("qq", 3, 0)),
                        (socket.SO_SNDTIMEO, struct.pack("qq", 4, 0))): s.setsockopt(socket.SOL_SOCKET, name, value)
    s.connect(("{PUBLIC}", {PORT}))
    found = [s.getsockopt(level, name) for level, name, _ in wanted]
    found += [s.getsockopt(socket.SOL_SOCKET, name, 16).hex() for name in (socket.SO_LINGER, socket.SO_RCVTIMEO, socket.SO_SNDTIMEO)]
    print(json.dumps(found), s.get_inheritable(), s.getblocking())
"""


@check("18 options that were set before connecting hold after it")
def options(lab):
    plain = lab.run(python(OPTIONS))
    isolated = lab.run_isolated(INTERNET, python(OPTIONS))
    contains(plain.stdout, "77", "9000")
    equal((isolated.stdout, isolated.stderr), (plain.stdout, ""))


ERRORS = f"""
    import errno, socket, struct
    for where in (("{PUBLIC}", 81), ("9.9.9.9", {PORT}), ("{PUBLIC6}", 81)):
        for blocking in (True, False):
            s = socket.socket(socket.AF_INET6 if ":" in where[0] else socket.AF_INET)
            s.setblocking(blocking)
            e = s.connect_ex(where)
            if e == errno.EINPROGRESS:
                import select; select.select([], [s], [], 5)
                e = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            print(where, blocking, errno.errorcode[e])
    s = socket.socket(); s.connect(("{PUBLIC}", {PORT}))
    print(s.getpeername(), s.getsockname()[0])
    print(errno.errorcode[s.connect_ex(("{PUBLIC}", {PORT}))])
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.bind(("", 45678)); s.connect(("{PUBLIC}", {PORT})); print(s.getsockname()); s.close()
    s = socket.socket()
    try: s.connect(("::1", 1))
    except OSError as e: print(e)
    except Exception as e: print(type(e))
    s = socket.socket(); print(s.connect_ex(("{PUBLIC}", {PORT})), s.shutdown(socket.SHUT_WR), s.recv(1))
"""


@check("18 few descriptors: registered by epoll before it connects, and more peers than the limit")
def few_descriptors(lab):
    code = f"""
        import resource, select, socket
        print(resource.getrlimit(resource.RLIMIT_NOFILE))
        s = socket.socket(); s.setblocking(False)
        e = select.epoll(); e.register(s, select.EPOLLOUT)
        s.connect_ex(("{PUBLIC}", {PORT}))
        assert e.poll(5) == [(s.fileno(), select.EPOLLOUT)]
        # Each from a port of its own is a flow of its own.
        for n in range(400):
            u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(5)
            u.connect(("{PUBLIC}", {UDP_PORT})); u.send(b"x"); assert u.recv(9) == b"x", n; u.close()
        print(socket.socket().connect_ex(("{PUBLIC}", {PORT})))
    """
    for limits in ("256:256", "256:1024", "1024"):
        for command in (python(code), lab.isolated(INTERNET, python(code))):
            done = lab.run(["prlimit", f"--nofile={limits}", *command])
            soft, hard = (limits.split(":") * 2)[:2]
            equal((limits, done.stdout, done.stderr), (limits, f"({soft}, {hard})\n0\n", ""))


@check("18 a supervisor keeps no stream of the program's open")
def streams(lab):
    code = python("""
        import os, time
        if os.fork(): os._exit(0)
        for n in (0, 1, 2): os.close(n)
        time.sleep(8)
    """)
    for command in (code, lab.isolated(NONE, code)):
        began = time.monotonic()
        # The program's standard error is the supervisor's for what it tells.
        equal(subprocess.run(lab.command(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout, b"")
        equal(time.monotonic() - began < 5, True)


@check("19 errors and names of sockets are what they are without isolation")
def errors(lab):
    plain = lab.run(python(ERRORS))
    isolated = lab.run_isolated(INTERNET, python(ERRORS))
    contains(plain.stdout, "ECONNREFUSED", "EHOSTUNREACH", LAN)
    equal((isolated.stdout, isolated.stderr), (plain.stdout, ""))


@check("20 datagrams: connected, sendto, sendmsg, sendmmsg in segments, and denied at once")
def datagrams(lab):
    code = f"""
        import socket, sys, time
        udp = lambda a: socket.socket(socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_DGRAM)
        for a in ("{PUBLIC}", "{PUBLIC6}"):
            for size in (1, 1400, 60000):
                s = udp(a); s.settimeout(5); data = bytes(range(256)) * 300
                s.connect((a, {UDP_PORT})); s.send(data[:size]); assert s.recv(70000) == data[:size]
                s = udp(a); s.settimeout(5)
                s.sendto(data[:size], (a, {UDP_PORT})); got, peer = s.recvfrom(70000)
                assert got == data[:size] and peer[:2] == (a, {UDP_PORT}), peer
                s = udp(a); s.settimeout(5)
                s.sendmsg([data[:size]], [], 0, (a, {UDP_PORT})); assert s.recv(70000) == data[:size]
            s = udp(a); s.settimeout(5); s.setsockopt(17, 103, 1000)  # UDP_SEGMENT
            s.sendto(b"y" * 4500, (a, {UDP_PORT}))
            assert [len(s.recv(70000)) for _ in range(5)] == [1000] * 4 + [500]
        # Nobody is there.
        s = udp("{PUBLIC}"); s.settimeout(5); s.connect(("{PUBLIC}", 9)); s.send(b"x")
        try: s.recv(1); print("answered")
        except ConnectionRefusedError: pass
        for a in ("{PRIVATE}", "{METADATA}", "{NAT64}"):
            s = udp(a); s.settimeout(5); s.connect((a, {UDP_PORT})); began = time.monotonic(); s.send(b"x")
            try: s.recv(1); print("answered", a)
            except TimeoutError: print("timed out", a)
            except OSError: assert time.monotonic() - began < 1
        print("all")
    """
    lab.reached()
    done = lab.run_isolated(INTERNET, python(code))
    equal((done.stdout, "Traceback" in done.stderr, done.stderr[-300:]), ("all\n", False, done.stderr[-300:]))
    contains(done.stderr, PRIVATE, METADATA)
    counted = lab.reached()
    equal({a: counted.get(f"udp {a}", 0) for a in (PRIVATE, METADATA, NAT64)}, {PRIVATE: 0, METADATA: 0, NAT64: 0})
    equal(counted[f"udp {PUBLIC}"], 14)


@check("21 grandchildren are isolated, and served after the program has ended")
def grandchildren(lab):
    result = WORK / "grandchild"
    result.unlink(missing_ok=True)
    done = lab.run_isolated(INTERNET, python(f"""
        import os, socket, time
        if os.fork(): os._exit(7)
        os.setsid()
        if os.fork(): os._exit(0)
        for n in (1, 2): os.close(n)
        time.sleep(1)
        told = []
        for a in ("{PUBLIC}", "{PRIVATE}"):
            told.append(str(socket.socket().connect_ex((a, {PORT}))))
        open("{result}.new", "w").write(" ".join(told)); os.rename("{result}.new", "{result}")
    """), "--quiet")
    equal((done.returncode, done.stderr), (7, ""))
    wait_for(result.exists, "the grandchild's word")
    equal(result.read_text(), "0 13")


@check("the program's end is the command's: status, signal, no such program")
def endings(lab):
    for code, wanted in (("raise SystemExit(0)", 0), ("raise SystemExit(42)", 42),
                         ("import os; os.kill(os.getpid(), 9)", 137)):
        equal(lab.run_isolated(NONE, python(code)).returncode, wanted)
    done = lab.run_isolated(NONE, ["/nonexistent/program"])
    equal(done.returncode, 127)
    contains(done.stderr, "/nonexistent/program")
    process = lab.start(lab.isolated(NONE, python("""
        import signal, time
        signal.signal(signal.SIGTERM, lambda *_: print("asked to end", flush=True) or exit(3))
        print("begins", flush=True)
        time.sleep(60)""")))
    equal(process.stdout.readline(), "begins\n")
    process.terminate()
    equal((process.stdout.readline(), process.wait(10)), ("asked to end\n", 3))


@check("a capability on the command line, none at all, and isolation within isolation")
def command_line(lab):
    run = [TOWLINE, "run", "--capability", "internetClient", "--"]
    equal(lab.run([*run, *curl(PUBLIC)]).stdout, f"hello from {PUBLIC}\n")
    done = lab.run([*run, *curl(PRIVATE)])
    equal(done.stdout, "")
    contains(done.stderr, "curl may not reach", "privateNetworkClientServer")
    done = lab.run([TOWLINE, "run", "--manifest", WORK / "none-such.toml", "--", "true"])
    equal(done.returncode, 126)
    contains(done.stderr, "none-such.toml")
    done = lab.run([*run, *run, "true"])
    equal(done.returncode, 126)
    contains(done.stderr, "isolated already")
    # As root, who stays root for files and has no more rights than anybody in the network.
    root = ["ip", "netns", "exec", lab.here, *run]
    equal(subprocess.run([*root, *curl(PUBLIC)], capture_output=True, text=True).stdout, f"hello from {PUBLIC}\n")
    done = subprocess.run([*root, "sh", "-c", "ip link add x type dummy; ip netns list; chroot /"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    contains(done.stderr, "Operation not permitted")
    equal(subprocess.run([*root, *curl(PRIVATE)], capture_output=True, text=True).stdout, "")


# --- who reaches a program ----------------------------------------------------------------------------

LISTEN = """
    import socket, sys
    family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
    l = socket.socket(family); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    l.bind((sys.argv[1], int(sys.argv[2])))
    l.listen()
    print("listens", flush=True)
    while True:
        c, peer = l.accept()
        print(peer[0].removeprefix("::ffff:"), flush=True)
        c.sendall(b"welcome"); c.close()
"""

COME = """
    import socket, sys
    source, to, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    s = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET); s.settimeout(5)
    s.bind((source, 0))
    try:
        s.connect((to, port)); print(s.recv(100).decode() or "closed")
    except OSError as error: print(type(error).__name__)
"""


@check("22 peers are let in by their class")
def inbound(lab):
    port = 18000
    for app, own, welcome in (
            (SERVER, LAN, {PUBLIC: True, PRIVATE: False, CGNAT: False, METADATA: False, NEIGHBOUR: False}),
            (PRIVATE_APP, LAN, {PUBLIC: False, PRIVATE: True, CGNAT: True, METADATA: False, NEIGHBOUR: True}),
            (PRIVATE_APP, "fd77::1", {PUBLIC6: False, PRIVATE6: True, METADATA6: False})):
        for where in (own, "::"):
            port += 1
            process = lab.start(lab.isolated(app, python(LISTEN, where, port)))
            equal(process.stdout.readline(), "listens\n")
            for peer, let_in in welcome.items():
                came = lab.run(python(COME, peer, own, port), far=True).stdout
                equal((app.stem, where, peer, came == "welcome\n"), (app.stem, where, peer, let_in))
                if let_in:
                    equal(process.stdout.readline(), f"{peer}\n")
            # Of this machine another program, which is nobody that was let in.
            came = lab.run(python(COME, own, own, port)).stdout
            equal((where, came == "welcome\n"), (where, False))
            process.kill()


@check("23 listening without a capability for it fails at once, and says why")
def no_listening(lab):
    for code in ("s.bind(('', 18080)); s.listen()", "s.listen()"):
        done = lab.run_isolated(INTERNET, python(f"import socket; s = socket.socket(); {code}"))
        contains(done.stderr, "Permission denied", "towline: ", "listen")


@check("25 a refused peer is not seen by a program that waits by epoll")
def refused_peers_are_silent(lab):
    process = lab.start(lab.isolated(SERVER, python("""
        import select, socket
        l = socket.socket(); l.bind(("", 18100)); l.listen(); l.setblocking(False)
        e = select.epoll(); e.register(l, select.EPOLLIN)
        print("listens", flush=True)
        while True:
            e.poll()
            try: c, peer = l.accept()
            except BlockingIOError: continue
            print(peer[0], flush=True); c.close()
    """)))
    equal(process.stdout.readline(), "listens\n")
    lab.run(python(COME, PRIVATE, LAN, 18100), far=True)
    lab.run(python(COME, PUBLIC, LAN, 18100), far=True)
    equal(process.stdout.readline(), f"{PUBLIC}\n")
    process.kill()


@check("26 an app's own loopback is its own alone")
def own_loopback(lab):
    both = """
        import os, socket, sys
        l = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
        l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        l.bind((sys.argv[1], 18200)); l.listen()
        print("listens", flush=True)
        if os.fork() == 0:
            s = socket.create_connection(("127.0.0.1", 18200), 5); print(s.recv(100).decode(), flush=True); os._exit(0)
        c, peer = l.accept(); c.sendall(b"from myself"); c.close()
        os.wait()
        sys.stdin.readline()
    """
    for app, where in ((INTERNET, "127.0.0.1"), (INTERNET, "::ffff:127.0.0.1"), (SERVER, "0.0.0.0")):
        process = lab.start(lab.isolated(app, python(both, where)), stdin=subprocess.PIPE)
        equal([process.stdout.readline() for _ in range(2)], ["listens\n", "from myself\n"])
        # Neither another app nor a program without isolation.
        for command in (lab.isolated(INTERNET, python(COME, "127.0.0.1", "127.0.0.1", 18200)),
                        python(COME, "127.0.0.1", "127.0.0.1", 18200)):
            contains(lab.run(command).stdout, "Error")
        process.communicate("\n")
    # A port of its own at one address is another program's at another, or later.
    other = lab.start(python(LISTEN, "127.0.0.1", 18202))
    equal(other.stdout.readline(), "listens\n")
    taking = f"""
        import socket, subprocess, sys
        def own(where, port):
            l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            l.bind((where, port)); l.listen(); return l
        held = own("{LAN}", 18202)
        print(socket.socket().connect_ex(("127.0.0.1", 18202)), flush=True)
        own("0.0.0.0", 18203).close()
        print("closed", flush=True); sys.stdin.readline()
        print(socket.socket().connect_ex(("127.0.0.1", 18203)), flush=True)
    """
    process = lab.start(lab.isolated(SERVER, python(taking)), stdin=subprocess.PIPE)
    equal([process.stdout.readline() for _ in range(2)], ["13\n", "closed\n"])
    later = lab.start(python(LISTEN, "127.0.0.1", 18203))
    equal(later.stdout.readline(), "listens\n")
    equal(process.communicate("\n")[0], "13\n")
    # Nor others' listeners from within.
    other = lab.start(python(LISTEN, "0.0.0.0", 18201))
    equal(other.stdout.readline(), "listens\n")
    for where in ("127.0.0.1", LAN, "0.0.0.0"):
        done = lab.run_isolated(ALL, python("import socket, sys; print(socket.socket().connect_ex((sys.argv[1], 18201)))", where))
        equal((where, done.stdout), (where, "13\n"))
    control = lab.run(python("import socket; print(socket.socket().connect_ex(('127.0.0.1', 18201)))"))
    equal(control.stdout, "0\n")


# --- ways out -----------------------------------------------------------------------------------------


def attack(lab, *words, **options):
    """How an attack ends without isolation, and with it; in words, and whether it got through."""
    words = list(map(str, words))
    plain = lab.run([ATTACK, *words], **options)
    isolated = lab.run_isolated(options.pop("app", INTERNET), [ATTACK, *words], **options)
    for done in (plain, isolated):
        if done.returncode not in (0, 1, 2) or "unknown way" in done.stderr:
            raise AssertionError(f"{words}: {done.returncode} {done.stdout} {done.stderr}")
    return plain, isolated


def refused(lab, *words, control=True):
    """An attack gets through without isolation, and not with it."""
    plain, isolated = attack(lab, *words)
    if control:
        equal((words, "the control", plain.returncode, plain.stdout), (words, "the control", 0, plain.stdout))
    equal((words, isolated.returncode, isolated.stdout), (words, 1, isolated.stdout))


GOOD, BAD = f"{PUBLIC}:{PORT}", f"{PRIVATE}:{PORT}"
RACE_LIMIT = 3 * float(SECONDS) + 60


@check("28 an address that changes while it connects")
def flip_connect(lab):
    lab.reached()
    plain = lab.run([ATTACK, "flip-connect", GOOD, BAD, min(float(SECONDS), 5)], seconds=RACE_LIMIT)
    equal((plain.returncode, lab.reached().get(f"tcp {PRIVATE}", 0) > 0), (0, True))
    isolated = lab.run_isolated(INTERNET, [ATTACK, "flip-connect", GOOD, BAD, SECONDS], "--quiet", seconds=RACE_LIMIT)
    counted = lab.reached()
    equal((isolated.returncode, counted.get(f"tcp {PRIVATE}", 0)), (1, 0))
    equal(counted[f"tcp {PUBLIC}"] > 100, True)
    print(f"    {isolated.stdout.strip()}")


@check("29 an address that changes while it sends, three ways")
def flip_send(lab):
    for how in ("sendto", "sendmsg", "sendmmsg"):
        words = [ATTACK, f"flip-{how}", f"{PUBLIC}:{UDP_PORT}", f"{PRIVATE}:{UDP_PORT}"]
        lab.reached()
        lab.run([*words, min(float(SECONDS), 2)], seconds=RACE_LIMIT)
        equal((how, lab.reached().get(f"udp {PRIVATE}", 0) > 0), (how, True))
        isolated = lab.run_isolated(INTERNET, [*words, SECONDS], "--quiet", seconds=RACE_LIMIT)
        counted = lab.reached()
        equal((how, counted.get(f"udp {PRIVATE}", 0), counted.get(f"udp {PUBLIC}", 0) > 100), (how, 0, True))
        print(f"    {how}: {isolated.stdout.strip()}, {counted[f'udp {PUBLIC}']} arrived")


@check("30 of two messages at once only the one that may go")
def second_message(lab):
    lab.reached()
    lab.run_isolated(INTERNET, [ATTACK, "sendmmsg-second", f"{PUBLIC}:{UDP_PORT}", f"{PRIVATE}:{UDP_PORT}"])
    counted = lab.reached()
    equal((counted.get(f"udp {PUBLIC}"), counted.get(f"udp {PRIVATE}")), (1, None))
    lab.run([ATTACK, "sendmmsg-second", f"{PUBLIC}:{UDP_PORT}", f"{PRIVATE}:{UDP_PORT}"])
    equal(lab.reached().get(f"udp {PRIVATE}"), 1)


@check("31 a socket that was connected listens")
def listen_after(lab):
    refused(lab, "listen-after", GOOD, f"{PRIVATE}:18400")


@check("31 a descriptor that changes while it connects")
def swap(lab):
    lab.reached()
    plain = lab.run([ATTACK, "swap", GOOD, BAD, min(float(SECONDS), 5)], seconds=RACE_LIMIT)
    equal((plain.returncode, lab.reached().get(f"tcp {PRIVATE}", 0) > 0), (0, True))
    isolated = lab.run_isolated(INTERNET, [ATTACK, "swap", GOOD, BAD, SECONDS], "--quiet", seconds=RACE_LIMIT)
    equal((isolated.returncode, lab.reached().get(f"tcp {PRIVATE}", 0)), (1, 0))
    print(f"    {isolated.stdout.strip()}")


@check("32 a thread with descriptors of its own")
def thread_table(lab):
    refused(lab, "thread-table", GOOD, BAD)


@check("33 io_uring")
def io_uring(lab):
    refused(lab, "io_uring", GOOD, BAD)


@check("34 fast open, repair, MPTCP and others, and connecting anew")
def other_tcp(lab):
    for way in ("fastopen-sendto", "fastopen-sendmsg", "fastopen-sendmmsg", "fastopen-option", "reconnect"):
        refused(lab, way, GOOD, BAD)
    for way in ("mptcp", "udplite"):
        refused(lab, way)
    for way in ("sctp", "smc", "repair"):  # not for everybody, or not on every kernel
        refused(lab, way, control=False)


@check("35 sockets of other families, and the kernel's own protocols")
def families(lab):
    for way in ("vsock", "diag"):
        refused(lab, way)
    for way in ("raw", "packet", "alg", "xdp", "bluetooth", "ulp"):
        refused(lab, way, control=False)


@check("36 calls of other architectures")
def architectures(lab):
    if os.uname().machine != "x86_64":
        raise Skipped("this processor has no others")
    refused(lab, "i386", GOOD, BAD)
    refused(lab, "x32", GOOD, BAD, control=False)


@check("37 routes and devices that the program chooses")
def routes(lab):
    refused(lab, "device")
    for way in ("source-route", "routing-header"):
        refused(lab, way, control=False)


@check("38 Unix sockets of other programs, and not the app's own")
def unix(lab):
    path = WORK / "other.sock"
    for name in (path, WORK / "link.sock", WORK / "datagrams.sock"):
        name.unlink(missing_ok=True)
    other = lab.start(python(f"""
        import os, socket
        l = socket.socket(socket.AF_UNIX); l.bind("{path}"); l.listen()
        d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind("{WORK}/datagrams.sock")
        a = socket.socket(socket.AF_UNIX); a.bind("\\0towline-other"); a.listen()
        print("listens", flush=True)
        while True: l.accept()[0].close()
    """))
    equal(other.stdout.readline(), "listens\n")
    (WORK / "link.sock").symlink_to(path)
    refused(lab, "unix", path)
    refused(lab, "unix", WORK / "link.sock")
    refused(lab, "unix-datagram", WORK / "datagrams.sock")
    refused(lab, "pair-of-datagrams")
    # Abstract names are of a network: the control has the other's.
    plain, isolated = attack(lab, "unix", "@towline-other")
    equal((plain.returncode, isolated.returncode), (0, 1))
    # An app that may.
    app = manifest("unix", more=f'[unix]\nallow = ["{path}"]\n')
    equal(lab.run_isolated(app, [ATTACK, "unix", path]).returncode, 0)
    # And the app's own.
    done = lab.run_isolated(NONE, python(f"""
        import os, socket
        for name in ("{WORK}/own.sock", "\\0own"):
            if name[0] == "/" and os.path.exists(name): os.unlink(name)
            l = socket.socket(socket.AF_UNIX); l.bind(name); l.listen()
            c = socket.socket(socket.AF_UNIX); c.connect(name); l.accept()[0].sendall(b"own"); print(c.recv(9))
        """))
    equal(done.stdout, "b'own'\nb'own'\n")


@check("38 another program's Unix socket in the place of an own one")
def unix_replaced(lab):
    place = WORK / "unix"
    place.mkdir(exist_ok=True)
    place.chmod(0o777)
    for way in ("unix-mounted", "unix-renamed"):
        for isolated in (False, True):
            for name in ("other.sock", "own.sock"):
                (place / name).unlink(missing_ok=True)
            other = lab.start(python(f"""
                import socket
                l = socket.socket(socket.AF_UNIX); l.bind("{place}/other.sock"); l.listen()
                print("listens", flush=True)
                while True:
                    c = l.accept()[0]
                    try: c.send(b"other")
                    except OSError: pass
                    c.close()
            """))
            equal(other.stdout.readline(), "listens\n")
            attack = [ATTACK, way, place / "other.sock", place / "own.sock"]
            done = lab.run_isolated(NONE, attack, "--quiet") if isolated else lab.run(attack)
            equal((way, isolated, done.returncode, done.stdout), (way, isolated, int(isolated), done.stdout))
            other.kill()


@check("39 sockets that it would inherit")
def inherited(lab):
    code = """
        import os
        for n in range(3, 20):
            try: os.fstat(n); print("has", n)
            except OSError: pass
    """
    outside = socket.socket()
    try:
        done = subprocess.run(lab.command(lab.isolated(INTERNET, python(code))), capture_output=True, text=True,
                              pass_fds=[outside.fileno()], timeout=60)
        equal((done.stdout, done.returncode), ("", 0))
        done = subprocess.run(lab.command(lab.isolated(INTERNET, ["true"])), capture_output=True, text=True,
                              stdin=outside.fileno(), timeout=60)
        equal(done.returncode, 126)
        contains(done.stderr, "standard input", "socket")
    finally:
        outside.close()


@check("39 standard descriptors: files, pipes and connections on this machine, and no other sockets")
def standard_descriptors(lab):
    def run(command, stream, given):
        with open(os.devnull) as nothing:
            return subprocess.run(lab.command(command), text=True, timeout=60,
                                  **{"stdin": nothing, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: given})
    path = WORK / "standard.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        path.chmod(0o777)
        other.settimeout(1)
        send = python("""
            import os, socket, sys
            socket.socket(fileno=os.dup(0)).sendto(b"x", sys.argv[1])""", path)
        for isolated in (False, True):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as given:
                done = run(lab.isolated(NONE, send) if isolated else send, "stdin", given)
                try:
                    came = other.recv(9)
                except TimeoutError:
                    came = b""
            equal((isolated, came, done.returncode), (isolated, b"" if isolated else b"x", 126 if isolated else 0))
        contains(done.stderr, "standard input", "datagrams", "put a pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("\0towline-standard")
    listening.listen()
    refused = [(listening, "not connected"), (socket.socket(socket.AF_UNIX), "not connected"),
               (socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0], "datagrams"),
               (socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0), "no policy"),
               (socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0), "no policy"),
               (socket.socket(socket.AF_INET6), "Internet"),
               (os.fdopen(os.eventfd(0)), "neither a file")]
    if os.path.exists("/dev/net/tun"):
        refused.append((open("/dev/net/tun", "rb+", buffering=0), "device"))
    for given, why in refused:
        with given:
            for stream in ("stdin", "stdout"):
                done = run(lab.isolated(NONE, ["true"]), stream, given)
                equal((given, stream, done.returncode), (given, stream, 126))
                contains(done.stderr, why, {"stdin": "standard input", "stdout": "standard output"}[stream])
    for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
        ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
        with ours, theirs:
            equal(run(lab.isolated(NONE, ["echo", "hello"]), "stdout", theirs).returncode, 0)
            equal(ours.recv(99), b"hello\n")


@check("40 other processes of the same user")
def other_processes(lab):
    def other():
        process = lab.start(["sleep", "600"])
        wait_for(lambda: Path(f"/proc/{process.pid}/comm").read_text() == "sleep\n", "sleep")
        return process.pid
    for way in ("ptrace", "write", "memory", "getfd", "kill", "limit"):
        plain = lab.run([ATTACK, f"other-{way}", other()])
        equal((way, plain.returncode), (way, 0))
        isolated = lab.run_isolated(INTERNET, [ATTACK, f"other-{way}", other()])
        equal((way, isolated.returncode), (way, 1))


@check("40 the supervisor itself")
def at_the_supervisor(lab):
    for way in ("ptrace", "memory", "getfd", "write", "kill", "limit"):
        process = lab.start(lab.isolated(INTERNET, ["sh", "-c", f"read go; {ATTACK} other-{way} $go"]),
                            stdin=subprocess.PIPE)
        wait_for(lambda: children(process.pid) and children(children(process.pid)[0]), "the program")
        out, _ = process.communicate(f"{supervisor_of(process.pid)}\n", timeout=20)
        equal((way, process.returncode, out), (way, 1, out))


@check("41 other networks: joined, and made")
def networks(lab):
    process = lab.start(["sleep", "600"])
    isolated = lab.run_isolated(INTERNET, [ATTACK, "other-setns", process.pid])
    equal(isolated.returncode, 1)
    refused(lab, "nested")


@check("42 a supervisor that is killed leaves the network closed")
def killed(lab):
    for sign, errors_wanted in ((signal.SIGKILL, ("38", "13")), (signal.SIGSTOP, ("timed out",))):
        process = lab.start(lab.isolated(INTERNET, python(f"""
            import errno, signal, socket, sys
            print(socket.socket().connect_ex(("{PUBLIC}", {PORT})), flush=True)
            sys.stdin.readline()
            class Rang(Exception): pass
            def rang(*_): raise Rang
            signal.signal(signal.SIGALRM, rang)
            for a in ("{PUBLIC}", "{PRIVATE}"):
                signal.alarm(1)
                try: print(socket.socket().connect_ex((a, {PORT})), flush=True)
                except Rang: print("timed out", flush=True)
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.sendto(b"x", (a, {UDP_PORT}))
            signal.alarm(0)
        """)), stdin=subprocess.PIPE)
        equal(process.stdout.readline(), "0\n")
        supervisor = supervisor_of(process.pid)
        lab.reached()
        os.kill(supervisor, sign)
        time.sleep(0.2)
        process.stdin.write("\n")
        process.stdin.flush()
        for _ in range(2):
            word = process.stdout.readline().strip()
            equal((sign, word in errors_wanted, word), (sign, True, word))
        equal(lab.reached(), {})
        if sign == signal.SIGSTOP:
            os.kill(supervisor, signal.SIGKILL)


@check("44 filters of the program's own")
def own_filters(lab):
    refused(lab, "own-listener")
    refused(lab, "own-filter", GOOD, BAD)


@check("45 a name that is somebody else the second time")
def rebinding(lab):
    code = """
        import socket
        reached = 0
        for _ in range(200):
            # Looks, and then asks again: as programs do that check an address first.
            if socket.gethostbyname("rebind.test").startswith("127."): continue
            try:
                s = socket.create_connection(("rebind.test", 18300), 2); reached += 1; s.close()
            except OSError: pass
        print(reached)
    """
    victim = lab.start(python(LISTEN, "127.0.0.1", 18300))
    equal(victim.stdout.readline(), "listens\n")
    equal(int(lab.run(python(code)).stdout) > 0, True)
    equal(lab.run_isolated(INTERNET, python(code), "--quiet", seconds=120).stdout, "0\n")
    victim.kill()


@check("46 addresses in other letters")
def letters(lab):
    needs("curl")
    lab.reached()
    for host in ("2130706433", "0x7f000001", "017700000001", "127.1", "0", "0x0a090909", "167905545", "10.9.2313",
                 "[::ffff:10.9.9.9]", "[::ffff:a09:909]", f"[{NAT64}]", "10.9.9.9."):
        done = lab.run_isolated(INTERNET, ["curl", "-s", "--max-time", "5", "--noproxy", "*", f"http://{host}:{PORT}/"])
        equal((host, done.stdout), (host, ""))
    equal({k: v for k, v in lab.reached().items() if k.startswith("tcp")}, {})


# --- the run ------------------------------------------------------------------------------------------


def main():
    with Lab() as lab:
        passed, failed, skipped = run_checks("private", lambda function: function(lab), sys.argv[1:])
    print(f"{passed} checks passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed or (skipped and "CI" in os.environ) else 0


if __name__ == "__main__":
    sys.exit(main())
