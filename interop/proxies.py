"""The towline command through squid, tinyproxy, dante and ssh, and to servers behind haproxy, nginx and
apache; with passwords, with tickets of a realm of Kerberos, and as a script says.

Run by scripts/proxies. A check whose proxy is not installed says that it did not run; with CI set, that
is a failure.
"""

import base64
import contextlib
import functools
import hashlib
import http.server
import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from checks import check, contains, equal, run_checks
from intermediaries import (ACCOUNT, CERTIFICATES, PASSWORD, TINYPROXY_PASSWORD, USER, WORK, Log,
                            apache, dante, free_port, haproxy, nginx, squid, ssh, tinyproxy)
from kerberos import realm

TOWLINE = os.environ["TOWLINE"]
MIB = int(os.environ["MIB"])
MESSAGES = int(os.environ["MESSAGES"])
RUN_SECONDS = 600


# --- our side -------------------------------------------------------------------


@contextlib.contextmanager
def server(*arguments):
    """`towline serve`; its URL, by the name that its certificate is for."""
    command = [TOWLINE, "serve", "--quiet", "--listen", "127.0.0.1:0", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().split()[-1].replace("127.0.0.1", "localhost")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def wss():
    return server("--cert", CERTIFICATES / "cert.pem", "--key", CERTIFICATES / "key.pem")


def port_of(url):
    return int(url.rpartition(":")[2])


def command(name, url, *arguments):
    trust = ["--cacert", CERTIFICATES / "ca.pem", "--proxy-cacert", CERTIFICATES / "ca.pem"]
    return [str(part) for part in [TOWLINE, name, url, *arguments, *trust]]


def environment(**variables):
    """This machine's, without what it says of proxies."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | variables


def towline(name, url, *arguments, given=b"", status=0, **variables):
    """Runs it and gives what it wrote, output and errors."""
    run = subprocess.run(command(name, url, *arguments), input=given, capture_output=True,
                         timeout=RUN_SECONDS, env=environment(**variables))
    errors = run.stderr.decode()
    if run.returncode != status:
        raise AssertionError(f"it ended with {run.returncode}: {errors[-600:]}")
    for written in (errors, run.stdout.decode(errors="replace")):
        if any(secret in written for secret in SECRETS):
            raise AssertionError("it tells a password")
    return run.stdout, errors


def encoded(text):
    return "".join(c if c.isalnum() else f"%{ord(c):02X}" for c in text)


def ways_to_write(password):
    """As it is, as it stands in an address, and as Basic sends it."""
    yield password
    yield encoded(password)
    for user in (USER, ACCOUNT):
        yield base64.b64encode(f"{user}:{password}".encode()).decode()


WRONG = "wr0ng"
SECRETS = {written for password in (PASSWORD, TINYPROXY_PASSWORD, WRONG)
           for written in ways_to_write(password)}


def with_user(address, user=USER, password=PASSWORD):
    scheme, _, rest = address.rpartition("://")
    return f"{scheme or 'http'}://{encoded(user)}:{encoded(password)}@{rest}"


def fails(url, proxy, *words, more=(), **variables):
    """That a proxy does not lead on, and that these words say why."""
    _, errors = towline("connect", f"{url}/echo", "-x", proxy, *more, status=97, **variables)
    contains(errors, *words)


def carries(proxy, *more, **variables):
    """That a proxy carries all messages and a large one, over ws and over wss."""
    for serving in (server(), wss()):
        with serving as url:
            errors = talks(url, "-x", proxy, *more, **variables)
            contains(errors, "* through ", "the program says so")


def talks(url, *arguments, **variables):
    """Many messages there and back, and a large one there, whose hash comes back."""
    lines = b"".join(b"message %d\n" % number for number in range(MESSAGES))
    out, errors = towline("connect", f"{url}/echo", "-v", "--expect", MESSAGES, *arguments,
                          given=lines, **variables)
    equal(hashlib.sha256(out).hexdigest(), hashlib.sha256(lines).hexdigest())
    file, digest = large()
    out, _ = towline("send", f"{url}/upload", file, "--expect", 1, *arguments, **variables)
    contains(out.decode().lower(), digest)
    return errors


@functools.cache
def large():
    """A file of so many MiB, no two of them the same; and its hash."""
    block, digest, path = secrets.token_bytes(1 << 20), hashlib.sha256(), WORK / f"large-{MIB}"
    with open(path, "wb") as output:
        for number in range(MIB):
            part = number.to_bytes(8, "big") + block[8:]
            output.write(part)
            digest.update(part)
    return path, digest.hexdigest()


# --- forward --------------------------------------------------------------------


@check("squid, open to all")
def _():
    with squid() as (proxy, _):
        carries(proxy)


@check("squid over TLS: open to all, and with Basic, Digest and NTLM")
def _():
    with squid(tls=True) as (proxy, _):
        carries(proxy)
    for scheme in ("basic", "digest", "ntlm"):
        with squid(scheme, tls=True) as (proxy, _):
            carries(with_user(proxy))


@check("squid with Basic: what is right leads on, what is wrong is tried once")
def _():
    with squid("basic") as (proxy, path), server() as url:
        carries(with_user(proxy))
        log = Log(path)
        fails(url, with_user(proxy, password=WRONG), "407", "does not take that user name")
        # It asks, and refuses the one answer, which alone has a name.
        equal(log.count("/407 ", 2), 2)
        equal(log.count(f" {USER} ", 1), 1)
        log = Log(path)
        fails(url, proxy, "407", "and offers Basic", "--proxy-user")
        equal(log.count("/407 ", 1), 1)


@check("squid with Digest: what is right leads on, what is wrong is tried once")
def _():
    with squid("digest") as (proxy, path), server() as url:
        carries(with_user(proxy))
        log = Log(path)
        fails(url, with_user(proxy, password=WRONG), "407", "does not take that user name")
        equal(log.count("/407 ", 2), 2)
        log = Log(path)
        _, errors = towline("connect", f"{url}/echo", "-x", proxy, "-U", f"{USER}:{PASSWORD}",
                            "--proxy-basic", status=97)
        contains(errors, "407", "and offers Digest", "not known here")
        equal(log.count("/407 ", 1), 1)


@check("squid with NTLM, which takes two rounds on one connection")
def _():
    for scheme in ("fake-ntlm", "ntlm"):
        with squid(scheme) as (proxy, path), server() as url:
            carries(with_user(proxy))
            log = Log(path)
            towline("connect", f"{url}/echo", "-x", with_user(proxy), "--expect", 0)
            equal(log.count("/407 ", 2), 2)
            equal(log.count(f" {USER} ", 1), 1)
    with squid("ntlm") as (proxy, path), server() as url:
        log = Log(path)
        fails(url, with_user(proxy, password=WRONG), "407", "does not take that user name")
        # It asks, goes into the second round, and refuses.
        equal(log.count("/407 ", 3), 3)
        equal(log.count("/200 ", 0), 0)


@check("squid with Negotiate, and a ticket from a KDC")
def _():
    by = ["--proxy-negotiate"]
    with realm() as here:
        old = here.keytab("old", "HTTP/localhost")
        keys = here.keytab("keys", "HTTP/localhost")
        with squid("negotiate", realm=here, keytab=keys) as (proxy, path), server() as url:
            carries(proxy, *by, **here.ticket())
            log = Log(path)
            towline("connect", f"{url}/echo", "-x", proxy, *by, "-U", ":", "--expect", 0,
                    **here.ticket())
            equal(log.count("/407 ", 1), 1)
            equal(log.count(" ann@", 1), 1)
            # Without a ticket, for a name that nobody has keys for, and without saying how.
            log = Log(path)
            fails(url, proxy, "by Negotiate", "No Kerberos credentials", "kinit", more=by,
                  **here.nobody())
            other = proxy.replace("localhost", "127.0.0.1")
            fails(url, other, "by Negotiate", "not found in Kerberos database", more=by,
                  **here.ticket())
            fails(url, proxy, "407", "and offers Negotiate", "--proxy-user", **here.ticket())
            equal(log.count("/407 ", 3), 3)
        with squid("negotiate", tls=True, realm=here, keytab=keys) as (proxy, _):
            carries(proxy, *by, **here.ticket())
        with squid("negotiate", realm=here, keytab=old) as (proxy, path), server() as url:
            # The ticket is right, and this proxy not the one that it is for.
            log = Log(path)
            fails(url, proxy, "407", "is the ticket that proxy's", more=by, **here.ticket())
            equal(log.count("/407 ", 2), 2)


@check("squid from the environment")
def _():
    with squid("basic") as (proxy, _), server() as url:
        # This machine is not reached by way of a proxy, unless somebody says so.
        towline("connect", f"{url}/echo", "--expect", 0, all_proxy="127.0.0.1:1")
        name = url.replace("localhost", "server.invalid")
        _, errors = towline("connect", f"{name}/echo", status=97, http_proxy=with_user(proxy))
        # It knows no such name.
        contains(errors, "50", "could not reach that server")


@check("tinyproxy, open to all")
def _():
    with tinyproxy() as (proxy, _):
        carries(proxy)


@check("tinyproxy with Basic, which ends the connection to ask")
def _():
    with tinyproxy(locked=True) as (proxy, path), server() as url:
        carries(with_user(proxy, password=TINYPROXY_PASSWORD))
        log = Log(path)
        # 401, which it should say to us of the server alone.
        fails(url, with_user(proxy, password=WRONG), "401", "does not take that user name")
        equal(log.count("CONNECT localhost:", 2), 2)
        log = Log(path)
        fails(url, proxy, "407", "--proxy-user")
        equal(log.count("CONNECT localhost:", 1), 1)


@check("dante: SOCKS4 and SOCKS5, names looked up here and there")
def _():
    with dante() as (proxy, _), server() as url:
        for scheme in ("socks4", "socks5", "socks5h"):
            # `localhost` is IPv6 first to some: dante has IPv4 alone here.
            carries(f"{scheme}://{proxy}", "-4")
        gone = re.sub(r":\d+$", f":{free_port()}", url)
        fails(gone, f"socks4://{proxy}", "status 91")
        fails(gone, f"socks5h://{proxy}", "refused")
        # It takes what stands for a name there for an address.
        fails(url, f"socks4a://{proxy}", "status 91")


@check("ssh -D: SOCKS4a and SOCKS5, names looked up there")
def _():
    with ssh() as proxy, server() as url:
        for scheme in ("socks4a", "socks5h"):
            carries(f"{scheme}://{proxy}")
        gone = re.sub(r":\d+$", f":{free_port()}", url)
        # It ends the connection where it cannot lead on.
        for scheme in ("socks4a", "socks5h"):
            fails(gone, f"{scheme}://{proxy}", "can the proxy reach that server")


@check("dante: SOCKS5 with a password")
def _():
    with dante(locked=True) as (proxy, path), server() as url:
        carries(with_user(f"socks5h://{proxy}", ACCOUNT))
        log = Log(path)
        wrong = with_user(f"socks5h://{proxy}", ACCOUNT, WRONG)
        fails(url, wrong, "does not take that user name and password")
        equal(log.count("tcp/accept [", 1), 1)
        equal(log.count("authentication failed", 1), 1)
        fails(url, f"socks5h://{proxy}", "wants to know who we are")


@check("three behind one another: tinyproxy with Basic, dante, squid with Basic")
def _():
    with tinyproxy(locked=True) as (one, _), dante() as (two, _), squid("basic") as (three, _):
        first = with_user(one, password=TINYPROXY_PASSWORD)
        carries(with_user(three), "--preproxy", first, "--preproxy", f"socks5h://{two}")


# --- as a script says -----------------------------------------------------------


@contextlib.contextmanager
def script(text):
    """A script's URL, and how often it was asked for. Everything else is not found."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = self.path == "/proxy.pac"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/x-ns-proxy-autoconfig")
            self.end_headers()
            self.wfile.write(text.encode() if found else b"no")

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{web.server_port}/proxy.pac", asked
        finally:
            web.shutdown()
            thread.join()


def says(*ways):
    return f"function FindProxyForURL(url, host) {{ return {'; '.join(ways)!r}; }}"


@check("a script (PAC) leads through squid, and past a proxy that is not there")
def _():
    with squid("basic") as (proxy, path):
        gone, place = f"PROXY 127.0.0.1:{free_port()}", proxy.removeprefix("http://")
        text = says(gone, f"PROXY {place}", "DIRECT")
        who = ["-U", f"{USER}:{PASSWORD}"]
        with script(text) as (at, asked):
            for serving in (server(), wss()):
                with serving as url:
                    # The script itself is fetched through no proxy.
                    errors = talks(url, "--proxy-pac", at, *who, all_proxy=gone.split()[1])
                    contains(errors, f"* through {proxy}: the script {at} says so")
            equal(len(asked), 4)
        with server() as url:
            log, file = Log(path), WORK / "proxy.pac"
            file.write_text(text)
            towline("connect", f"{url}/echo", "--proxy-pac", file, *who, "--expect", 0)
            equal(log.count("/200 ", 1), 1)
            # What squid refuses it has refused: nobody goes past it.
            log = Log(path)
            _, errors = towline("connect", f"{url}/echo", "--proxy-pac", file, "-U",
                                f"{USER}:{WRONG}", status=97)
            contains(errors, "407", "does not take that user name")
            equal(log.count("/407 ", 2), 2)


@check("a script (PAC) leads through dante, and to the server itself")
def _():
    with dante() as (proxy, _), server() as url:
        with script(says(f"SOCKS5 {proxy}")) as (at, _):
            contains(talks(url, "--proxy-pac", at, "-4"), f"* through socks5h://{proxy}: the script")
        with script(says("DIRECT")) as (at, _):
            contains(talks(url, "--proxy-pac", at), f"* directly: the script {at} says so")


@check("a script (PAC) that is wrong, endless, or not there")
def _():
    with server() as url:
        def told(place, *words, status):
            _, errors = towline("connect", f"{url}/echo", "--proxy-pac", place, status=status)
            contains(errors, *words)

        with script("\nfunction FindProxyForURL() {\n  return nothing;\n}") as (at, _):
            told(at, f"running the script {at} for localhost: line 3: nothing is not", status=2)
            told(at.replace("proxy", "other"), "reading the script", "404 Not Found", status=1)
        with script("for (;;);") as (at, _):
            told(at, "it ran for more than 5 s", status=2)
        with script(" " * ((1 << 20) + 1)) as (at, _):
            told(at, "it has more than 1 MiB", status=1)
        with script(says(f"PROXY 127.0.0.1:{free_port()}", f"SOCKS 127.0.0.1:{free_port()}")) as (at, _):
            told(at, "none of 2 ways leads there", "reaching the proxy http://127", "; then ",
                 "reaching the proxy socks4://127", status=7)


# --- reverse --------------------------------------------------------------------


def stands_before(intermediary):
    """That a server behind it is talked to, in the clear and with TLS that ends there; and what is told
    when it finds the connection idle."""
    with server() as behind:
        port = port_of(behind)
        for tls in (False, True):
            with intermediary(port, tls=tls) as url:
                talks(url)
        with intermediary(port, idle_seconds=2) as url:
            began = time.monotonic()
            errors = idle(f"{url}/echo")
            if not 1 < time.monotonic() - began < 30:
                raise AssertionError("it was not the idle connection that was ended")
            contains(errors, "without a closing frame", "connect again")
            # Pings keep it.
            towline("ping", f"{url}/echo", "-c", 8, "-i", 0.5)


def idle(url):
    """Says nothing until somebody ends the connection; what is told then."""
    with subprocess.Popen(command("connect", url), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, env=environment()) as process:
        try:
            status = process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError("the idle connection was not ended") from None
        equal(status, 56)
        return process.stderr.read().decode()


@check("haproxy before a server")
def _():
    stands_before(haproxy)


@check("nginx before a server")
def _():
    stands_before(nginx)


def proofs(judge, behind, here):
    """That a server's proof of who it is counts, where it has one: it is the judge's, which apache leaves
    out of an answer that is passed on."""
    def answer(ticket, proof):
        asking = urllib.request.Request(judge.replace("ws", "http", 1), method="GET",
                                        headers={"Authorization": ticket})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asking) as answered:
            return proof(answered.headers["WWW-Authenticate"])

    def lead_on(near, proof):
        with near, socket.create_connection(("127.0.0.1", port_of(behind))) as far:
            for _ in range(2):
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += near.recv(1)
                ticket = re.search(r"(?im)^authorization: (.*?)\r$", head.decode())
                if ticket:
                    break
                near.sendall(b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Negotiate\r\n"
                             b"Content-Length: 0\r\n\r\n")
            far.sendall(head)
            proven = answer(ticket[1], proof)
            near.sendall(b"HTTP/1.1 101 Yes\r\nWWW-Authenticate: " + proven.encode() + b"\r\n"
                         + far.recv(4096).partition(b"\r\n")[2])
            # Its closing handshake, to which the server has nothing to add.
            while more := near.recv(4096):
                far.sendall(more)
                near.sendall(far.recv(4096))

    for proof, status in [(lambda token: token, 0), (lambda token: "Negotiate", 0),
                          (lambda token: token[:-8] + "AAAAAAAA", 8)]:
        with socket.create_server(("127.0.0.1", 0)) as front:
            thread = threading.Thread(target=lambda: lead_on(front.accept()[0], proof))
            thread.start()
            url = f"ws://localhost:{front.getsockname()[1]}/echo"
            _, errors = towline("connect", url, "--negotiate", "--expect", 0, "-4", status=status,
                                **here.ticket())
            thread.join(30)
        if status:
            contains(errors, "by Negotiate: it does not prove who it is: ")


@check("apache before a server, with Negotiate and a ticket from a KDC")
def _():
    with realm() as here, server() as behind:
        old = here.keytab("old", "HTTP/localhost")
        keys = here.keytab("keys", "HTTP/localhost")
        with apache(port_of(behind), here, keys) as (url, path):
            talks(url, "--negotiate", **here.ticket())
            log = Log(path)
            towline("connect", f"{url}/echo", "--negotiate", "-u", ":", "--expect", 0,
                    **here.ticket())
            equal(log.count("401 ", 1), 1)
            equal(log.count("101 ann@", 1), 1)
            log = Log(path)
            told = [("No Kerberos credentials", ["--negotiate"], here.nobody()),
                    ("and offers Negotiate", [], here.ticket())]
            for word, by, who in told:
                _, errors = towline("connect", f"{url}/echo", *by, status=22, **who)
                contains(errors, word)
            equal(log.count("401 ", 2), 2)
            proofs(url, behind, here)
        with apache(port_of(behind), here, old) as (url, path):
            log = Log(path)
            _, errors = towline("connect", f"{url}/echo", "--negotiate", status=22, **here.ticket())
            contains(errors, "answering localhost by Negotiate: ", "does not take the ticket")
            equal(log.count("401 ", 2), 2)


# --- the run --------------------------------------------------------------------


def main(words):
    passed, failed, skipped = run_checks("proxies", lambda function: function(), words)
    (WORK / f"large-{MIB}").unlink(missing_ok=True)
    print(f"{passed} checks passed, {failed} failed, {skipped} skipped: "
          f"{MESSAGES} messages and {MIB} MiB each", flush=True)
    return failed > 0 or passed + skipped == 0 or (skipped > 0 and bool(os.environ.get("CI")))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
