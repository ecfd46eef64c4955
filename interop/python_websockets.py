"""The towline command against Python's `websockets`, both ways. Run by scripts/interop.

A check is an async function; it fails by an assertion, an exception, or by taking too long.
"""

import asyncio
import contextlib
import dataclasses
import hashlib
import http.client
import json
import os
import random
import re
import signal
import ssl
import sys
import tempfile
from pathlib import Path

from checks import check, equal, run_checks
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory)

TOWLINE = os.environ["TOWLINE"]
CERTIFICATES = Path(os.environ["CERTIFICATES"])
CHECK_SECONDS = 120
BIG = os.urandom(1 << 20) * 64


def sha256(data):
    return hashlib.sha256(data).hexdigest()


# --- our command as server --------------------------------------------------


@contextlib.asynccontextmanager
async def towline_server(*arguments):
    """A running server: its URL, and the process."""
    quiet = ["--quiet"] if arguments[0] == "serve" else []
    server = await asyncio.create_subprocess_exec(
        TOWLINE, *map(str, arguments), *quiet, "--listen", "127.0.0.1:0",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(10):
            while line := (await server.stdout.readline()).decode():
                if found := re.search(r"listening on (wss?://[^\s/]+)", line):
                    break
            else:
                raise AssertionError("the server did not print `listening on ws://…`")
        yield found.group(1), server
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


@contextlib.asynccontextmanager
async def echo(**options):
    async with towline_server("echo") as (url, _):
        async with connect(url, max_size=None, **options) as ws:
            yield ws


@check("our echo: text, empty and not ASCII, comes back as text")
async def _():
    async with echo() as ws:
        for text in ("hello", "", "žluťoučký kůň 你好 🚢", "x" * 70_000):
            await ws.send(text)
            equal(await ws.recv(), text)


@check("our echo: binary comes back as binary")
async def _():
    async with echo() as ws:
        for data in (b"", b"\x00\xff", os.urandom(125), os.urandom(126), os.urandom(65_536)):
            await ws.send(data)
            equal(await ws.recv(), data)


@check("our echo: a message in fragments comes back whole")
async def _():
    async with echo() as ws:
        await ws.send(["in ", "", "four ", "pieces"])
        equal(await ws.recv(), "in four pieces")
        await ws.send([b"\x01", b"\x02\x03"])
        equal(await ws.recv(), b"\x01\x02\x03")


@check("our echo: 64 MiB in one frame, and in fragments")
async def _():
    async with echo() as ws:
        for message in (BIG, [BIG[i : i + 100_000] for i in range(0, len(BIG), 100_000)]):
            sending = asyncio.create_task(ws.send(message))
            equal(sha256(await ws.recv()), sha256(BIG))
            await sending


@check("our echo: a ping between fragments is answered with its payload")
async def _():
    async with echo() as ws:
        ponged = []

        async def parts():
            yield "before "
            ponged.append(await (await ws.ping(b"mark 1")))
            yield "after"

        await ws.send(parts())
        equal(await ws.recv(), "before after")
        equal(len(ponged), 1)


@check("our echo: an unsolicited pong is taken without a word")
async def _():
    async with echo() as ws:
        await ws.pong(b"nobody asked")
        await ws.send("still here")
        equal(await ws.recv(), "still here")


@check("our echo: 5,000 messages come back in order")
async def _():
    async with echo() as ws:

        async def send():
            for i in range(5_000):
                await ws.send(str(i))

        sending = asyncio.create_task(send())
        for i in range(5_000):
            equal(await ws.recv(), str(i))
        await sending


@check("our echo: the peer's close code is echoed, whatever its reason")
async def _():
    for code, reason in ((1000, ""), (1000, "that is all"), (4001, "až zítra"), (3000, "r" * 123)):
        async with echo() as ws:
            await ws.close(code, reason)
        received = ws.protocol.close_rcvd
        equal((received.code, ws.protocol.close_rcvd_then_sent), (code, False))


@check("our echo: text that is not UTF-8 ends with 1007")
async def _():
    async with echo() as ws:
        await ws.send(b"\xce\xba\xff", text=True)
        with contextlib.suppress(ConnectionClosedError):
            await ws.recv()
        equal(ws.protocol.close_rcvd.code, 1007)


@check("our echo: without compression on offer it is the same")
async def _():
    async with echo(compression=None) as ws:
        await ws.send("plain")
        equal(await ws.recv(), "plain")


@check("our echo: an interrupt closes every connection with 1001")
async def _():
    async with towline_server("echo") as (url, server):
        async with connect(url) as one, connect(url) as two:
            await one.send("hello")
            equal(await one.recv(), "hello")
            server.send_signal(signal.SIGINT)
            for ws in (one, two):
                with contextlib.suppress(ConnectionClosedOK, ConnectionClosedError):
                    await ws.recv()
                equal(ws.protocol.close_rcvd.code, 1001)
        async with asyncio.timeout(15):
            await server.wait()


@check("our echo: wss, for a peer that trusts our authority, with TLS 1.3 and 1.2")
async def _():
    keys = ("--cert", CERTIFICATES / "cert.pem", "--key", CERTIFICATES / "key.pem")
    async with towline_server("echo", *keys) as (url, _):
        url = url.replace("127.0.0.1", "localhost")
        equal(url.split(":")[0], "wss")
        for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
            trust = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
            trust.minimum_version = trust.maximum_version = version
            async with connect(url, ssl=trust) as ws:
                await ws.send("in private")
                equal(await ws.recv(), "in private")


@check("our server: the page is there, with a policy that lets nothing else in")
async def _():
    async with towline_server("serve") as (url, _):

        def fetch():
            http_client = http.client.HTTPConnection(url.removeprefix("ws://"), timeout=10)
            http_client.request("GET", "/")
            answer = http_client.getresponse()
            return answer.status, answer.headers, answer.read().decode()

        status, headers, page = await asyncio.to_thread(fetch)
        equal(status, 200)
        assert headers["Content-Type"].startswith("text/html"), headers["Content-Type"]
        assert "default-src 'none'" in headers["Content-Security-Policy"], headers.items()
        assert "<title>Towline</title>" in page and page.rstrip().endswith("</html>")


@check("our server: uploads are counted, stored, and never overwrite each other")
async def _():
    with tempfile.TemporaryDirectory() as folder:
        async with towline_server("serve", "--dir", folder) as (url, _):
            async with connect(url + "/upload") as ws:
                for data in (BIG, b"", b"small", b"small"):
                    await ws.send(data)
                    answer = json.loads(await ws.recv())
                    equal((answer["bytes"], answer["sha256"]), (len(data), sha256(data)))
        stored = sorted(sha256(file.read_bytes()) for file in Path(folder).rglob("*") if file.is_file())
        equal(stored, sorted(map(sha256, (BIG, b"", b"small", b"small"))))


@check("our server: a download is one binary message, of files in the folder only")
async def _():
    with tempfile.TemporaryDirectory() as folder:
        shared = Path(folder) / "shared"
        shared.mkdir()
        (shared / "film.bin").write_bytes(BIG)
        (Path(folder) / "secret").write_text("not for you")
        async with towline_server("serve", "--dir", shared) as (url, _):
            async with connect(url + "/download/film.bin", max_size=None) as ws:
                equal(sha256(await ws.recv()), sha256(BIG))
            for name in ("absent", "..%2Fsecret", "%2e%2e/secret", "../secret", "..%5Csecret"):
                try:
                    async with connect(url + "/download/" + name) as ws:
                        raise AssertionError(f"{name} gave {await ws.recv()!r}")
                except InvalidStatus as error:
                    assert 400 <= error.response.status_code < 500, error


@check("our server: a browser's request from a foreign page is refused with 403")
async def _():
    async with towline_server("serve") as (url, _):
        try:
            async with connect(url + "/echo", origin="https://elsewhere.example"):
                raise AssertionError("it was accepted")
        except InvalidStatus as error:
            equal(error.response.status_code, 403)
        async with connect(url + "/echo", origin=url.replace("ws", "http", 1)) as ws:
            await ws.send("from home")
            equal(await ws.recv(), "from home")


# --- compression ------------------------------------------------------------


def messages(seed, count=25):
    """Messages of every character, among them some that refer far back, made from a seed."""
    chance = random.Random(seed)
    pool = [json.dumps({"id": n, "side": "buy", "note": "n" * (n % 9)}) for n in range(200)]
    for _ in range(count):
        kind = chance.randrange(6)
        if kind == 0:
            yield chance.randbytes(chance.choice((1, 60, 500, 70_000)))
        elif kind == 1:
            yield bytes(chance.choice((1, 258, 32_768, 300_000)))
        elif kind == 2:
            yield chance.choice(("", b"", "é" * 40_000, "x"))
        else:
            yield ",".join(chance.choices(pool, k=chance.choice((1, 5, 400, 4000))))


def in_parts(message, chance):
    """The message in parts, some of them empty, and no character cut."""
    cuts = sorted(chance.randrange(len(message) + 1) for _ in range(chance.randrange(5)))
    return [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)])]


def agreed(ws):
    """What of compression was agreed on: windows of client and server, takeover of both."""
    [extension] = ws.protocol.extensions
    return extension


@check("our echo, compressed: every window, with takeover and without, in parts and whole")
async def _():
    async with towline_server("echo", "--deflate") as (url, _):
        seed = 0
        for client_bits in (None, 9, 12, 15):
            for server_bits in (None, 8, 9, 11, 15):
                for client_resets, server_resets in ((0, 0), (0, 1), (1, 0), (1, 1)):
                    seed += 1
                    chance = random.Random(-seed)
                    offer = ClientPerMessageDeflateFactory(
                        server_no_context_takeover=bool(server_resets),
                        client_no_context_takeover=bool(client_resets),
                        server_max_window_bits=server_bits,
                        client_max_window_bits=client_bits or True,
                        compress_settings={"memLevel": chance.randint(1, 9), "level": chance.randint(0, 9)})
                    async with connect(url, max_size=None, compression=None, extensions=[offer]) as ws:
                        terms = agreed(ws)
                        equal(terms.remote_no_context_takeover, bool(server_resets))
                        equal(terms.remote_max_window_bits, server_bits or 15)
                        for message in messages(seed, 8):
                            whole = chance.random() < 0.5
                            await ws.send(message if whole else in_parts(message, chance))
                            equal(await ws.recv(), message)


@check("our echo, compressed: what cannot be inflated ends with 1007")
async def _():
    async with towline_server("echo", "--deflate") as (url, _):
        async with connect(url, max_size=None) as ws:
            # Behind the extension's back.
            encode = agreed(ws).encode
            agreed(ws).encode = lambda frame: dataclasses.replace(encode(frame), data=b"\x07\x00")
            await ws.send("x" * 1000)
            with contextlib.suppress(ConnectionClosedError):
                await ws.recv()
            equal(ws.protocol.close_rcvd.code, 1007)


@check("our echo, compressed: 24 MiB of noise and of text, in constant memory")
async def _():
    text = "".join(f"the same again, {number:>9}; " for number in range(24 * 37_000))
    async with towline_server("echo", "--deflate") as (url, server):
        async with connect(url, max_size=None) as ws:
            for message in (BIG[: 24 << 20], text):
                sending = asyncio.create_task(ws.send(message))
                back = await ws.recv()
                await sending
                assert back == message
        status = Path(f"/proc/{server.pid}/status")
        if status.exists():
            peak = int(re.search(r"VmHWM:\s*(\d+) kB", status.read_text()).group(1))
            assert peak < 40_000, f"a peak of {peak} KiB"


# --- our command as client --------------------------------------------------


class Ended:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
        self.said = (out + err).decode(errors="replace")


async def towline(*arguments, given=b"", trust=None):
    """Runs our command to its end."""
    environment = os.environ | ({"SSL_CERT_FILE": str(trust)} if trust else {})
    process = await asyncio.create_subprocess_exec(
        TOWLINE, *map(str, arguments), env=environment, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, err = await process.communicate(given)
    return Ended(process.returncode, out, err)


def ended_well(run):
    assert run.status == 0, f"status {run.status}: {run.err.decode(errors='replace')[-500:]}"


@contextlib.asynccontextmanager
async def peer(handler, **options):
    """A websockets server: its URL, and the connections that it has had."""
    seen = []

    async def handle(ws):
        seen.append(ws)
        await handler(ws)

    async with serve(handle, "127.0.0.1", 0, max_size=None, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def take_all(ws):
    """Keeps what comes."""
    ws.taken = [message async for message in ws]


async def give_back(ws):
    async for message in ws:
        await ws.send(message)


@check("our send: 64 MiB from a file is one binary message, then a close with 1000")
async def _():
    with tempfile.NamedTemporaryFile() as file:
        file.write(BIG)
        file.flush()
        async with peer(take_all) as (url, seen):
            run = await towline("send", url, file.name)
            ended_well(run)
            [ws] = seen
            await ws.wait_closed()
            equal([sha256(message) for message in ws.taken], [sha256(BIG)])
            equal(ws.protocol.close_rcvd.code, 1000)
            assert sha256(BIG) in run.said, run.said


@check("our connect, compressed: lines there and back, whatever the server asks for")
async def _():
    lines = "\n".join(message for message in messages(7, 60) if isinstance(message, str) and message)
    for bits in (None, 8, 9, 15):
        for client_resets in (False, True):
            answer = ServerPerMessageDeflateFactory(
                client_no_context_takeover=client_resets, client_max_window_bits=bits,
                server_no_context_takeover=client_resets)
            async with peer(give_back, compression=None, extensions=[answer]) as (url, seen):
                count = lines.count("\n") + 1
                run = await towline("connect", "--deflate", url, "--expect", count, given=lines.encode())
                ended_well(run)
                equal(run.out.decode(), lines + "\n")
                [ws] = seen
                equal(agreed(ws).remote_no_context_takeover, client_resets)
                equal(agreed(ws).remote_max_window_bits, bits or 15)


@check("our send and recv, compressed: a file of 24 MiB, streamed")
async def _():
    data = BIG[: 8 << 20] + bytes(8 << 20) + b"line upon line\n" * 500_000
    with tempfile.TemporaryDirectory() as folder:
        given, taken = Path(folder) / "given", Path(folder) / "taken"
        given.write_bytes(data)
        async with peer(take_all) as (url, seen):
            ended_well(await towline("send", "--deflate", url, given))
            [ws] = seen
            await ws.wait_closed()
            equal([sha256(message) for message in ws.taken], [sha256(data)])
            assert agreed(ws)

        async def send(ws):
            await ws.send(data)
            await ws.wait_closed()

        async with peer(send) as (url, _):
            ended_well(await towline("recv", "--deflate", url, taken))
            equal(sha256(taken.read_bytes()), sha256(data))


@check("our send: standard input")
async def _():
    async with peer(take_all) as (url, seen):
        ended_well(await towline("send", url, "-", given=b"\x00piped\xff"))
        [ws] = seen
        await ws.wait_closed()
        equal(ws.taken, [b"\x00piped\xff"])


@check("our recv: 64 MiB, whole and in fragments, into a file")
async def _():
    pieces = [BIG[i : i + 100_000] for i in range(0, len(BIG), 100_000)]
    for message in (BIG, pieces):
        async def give(ws):
            await ws.send(message)
            await ws.wait_closed()

        with tempfile.TemporaryDirectory() as folder:
            async with peer(give) as (url, seen):
                run = await towline("recv", url, f"{folder}/film.bin")
                ended_well(run)
                equal(sha256(Path(folder, "film.bin").read_bytes()), sha256(BIG))
                assert sha256(BIG) in run.said, run.said
                equal(seen[0].protocol.close_rcvd.code, 1000)


@check("our recv: to standard output, nothing but the message")
async def _():
    async def give(ws):
        await ws.send("to the pipe, až po okraj")
        await ws.wait_closed()

    async with peer(give) as (url, _):
        run = await towline("recv", url, "-")
        ended_well(run)
        equal(run.out.decode(), "to the pipe, až po okraj")


@check("our connect: a line is a text message, answers are lines, --expect ends it")
async def _():
    async def handle(ws):
        ws.taken = []
        async for message in ws:
            ws.taken.append(message)
            await ws.send(f"you said {message}")

    async with peer(handle) as (url, seen):
        run = await towline("connect", url, "--expect", 3, given="one\ntwo\nlodě 🚢\n".encode())
        ended_well(run)
        equal(run.out.decode(), "you said one\nyou said two\nyou said lodě 🚢\n")
        [ws] = seen
        await ws.wait_closed()
        equal(ws.taken, ["one", "two", "lodě 🚢"])
        equal(ws.protocol.close_rcvd.code, 1000)


@check("our connect: --binary sends standard input as one message")
async def _():
    async with peer(give_back) as (url, _):
        run = await towline("connect", url, "--binary", "--expect", 1, given=b"\x00\n\xff\n")
        ended_well(run)
        assert run.out.startswith(b"\x00\n\xff\n"), run.out


@check("our connect: --json prints one object a line")
async def _():
    async with peer(give_back) as (url, _):
        run = await towline("connect", url, "--json", "--expect", 1, given=b"find me\n")
        ended_well(run)
        events = [json.loads(line) for line in run.out.decode().splitlines()]
        assert any("find me" in event.values() for event in events), events


@check("our connect: keeps reading after the end of its input, until the server closes")
async def _():
    async def handle(ws):
        question = await ws.recv()
        await asyncio.sleep(0.5)
        await ws.send(f"late answer to {question}")
        await ws.close(1000, "done")

    async with peer(handle) as (url, _):
        run = await towline("connect", url, given=b"question\n")
        ended_well(run)
        equal(run.out.decode(), "late answer to question\n")


@check("our connect: a close with 4321 is status 100, with code and reason told")
async def _():
    async def handle(ws):
        await ws.close(4321, "tired of it")

    async with peer(handle) as (url, seen):
        run = await towline("connect", url)
        equal(run.status, 100)
        message = run.err.decode()
        assert "4321" in message and "tired of it" in message, message
        equal(seen[0].protocol.close_rcvd.code, 4321)


@check("our connect: a connection lost without a close is status 56")
async def _():
    async def handle(ws):
        await ws.recv()
        ws.transport.abort()

    async with peer(handle) as (url, _):
        run = await towline("connect", url, given=b"goodbye\n")
        equal(run.status, 56)
        assert run.err.strip(), "nothing was said"


@check("our connect: subprotocol, header and origin arrive; the subprotocol is agreed")
async def _():
    async with peer(give_back, subprotocols=["rope", "chain"]) as (url, seen):
        run = await towline("connect", f"{url}/a/path?q=1", "-s", "chain", "-H", "X-Tow: line",
                            "-o", "https://example.org", "--expect", 1, given=b"x\n")
        ended_well(run)
        [ws] = seen
        equal(ws.subprotocol, "chain")
        equal(ws.request.path, "/a/path?q=1")
        equal(ws.request.headers["X-Tow"], "line")
        equal(ws.request.headers["Origin"], "https://example.org")


@check("our connect: without options it sends no origin and offers no compression")
async def _():
    async with peer(give_back) as (url, seen):
        ended_well(await towline("connect", url, "--expect", 1, given=b"x\n"))
        for header in ("Origin", "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"):
            equal(seen[0].request.headers.get(header), None)


@check("our connect: the peer's ping is answered")
async def _():
    async def handle(ws):
        async with asyncio.timeout(10):
            await (await ws.ping(b"are you there?"))
        await ws.send("you are")
        await ws.close()

    async with peer(handle) as (url, _):
        run = await towline("connect", url)
        ended_well(run)
        equal(run.out.decode(), "you are\n")


@check("our ping: three round trips, then a summary")
async def _():
    async with peer(give_back) as (url, seen):
        run = await towline("ping", url, "-c", 3)
        ended_well(run)
        assert len(run.out.decode().splitlines()) >= 3, run.out
        await seen[0].wait_closed()
        equal(seen[0].protocol.close_rcvd.code, 1000)


@check("our client: an answer of 401 is status 22, and named")
async def _():
    def refuse(connection, request):
        return connection.respond(401, "who are you?\n")

    async with peer(give_back, process_request=refuse) as (url, _):
        run = await towline("connect", url)
        equal(run.status, 22)
        assert "401" in run.err.decode(), run.err


@check("our client: a refused port is status 7, and the address is named")
async def _():
    async with peer(give_back) as (url, _):
        pass  # now nothing listens there
    run = await towline("connect", url)
    equal(run.status, 7)
    assert url.rsplit(":")[-1] in run.err.decode(), run.err


@check("our client: wss, trusted and not")
async def _():
    keys = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    keys.load_cert_chain(CERTIFICATES / "cert.pem", CERTIFICATES / "key.pem")
    authority = CERTIFICATES / "ca.pem"
    async with peer(take_all, ssl=keys) as (url, seen):
        url = url.replace("ws://127.0.0.1", "wss://localhost")
        # Trusted because we said so, and because the system does.
        for more in ({"trust": authority}, {"options": ("--cacert", authority)}):
            arguments = ("send", url, "-", *more.pop("options", ()))
            ended_well(await towline(*arguments, given=BIG[: 1 << 20], **more))
            await seen[-1].wait_closed()
            equal(sha256(seen[-1].taken[0]), sha256(BIG[: 1 << 20]))
        run = await towline("send", url, "-", given=b"secret")
        equal(run.status, 60)
        equal(len(seen), 2)


# --- the run ----------------------------------------------------------------


def call(function):
    asyncio.run(asyncio.wait_for(function(), CHECK_SECONDS))


if __name__ == "__main__":
    passed, failed, _ = run_checks("python", call)
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)
