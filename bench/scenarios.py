"""What is measured, and on whom."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Server:
    """An echo server, or a client program."""
    package: str
    args: tuple
    # raw: sends back what comes, and knows no handshake; limit: no contestant either; ours; peer: a
    # Rust library; frames: one by its interface for frames, which no other library has and no
    # message fits into; foreign: anything else, for scale
    sort: str
    # Families of scenarios in which it cannot take part.
    without: tuple = ()
    # Only in these families, if any are named.
    only: tuple = ()


@dataclass(frozen=True)
class Scenario:
    # Which load, and which table: echo, client, churn, deflate, threads, huge, idle.
    family: str
    load: tuple = ()
    tls: bool = False
    # Of clients: one message on each connection, then the next one.
    churn: bool = False
    # The targets: the limit we are compared with, our share of it, and our ratio to the
    # fastest Rust peer.
    limit: str = "raw"
    of_limit: float | None = None
    of_peer: float | None = None
    # The most that we may use: MiB over the base in huge, bytes a connection in idle.
    most: float | None = None

    def families(self):
        names = {self.family} | ({"tls"} if self.tls else set())
        return names | ({"frames"} if "--frame" in self.load else set())


def ours(api, **more):
    return Server("bench-towline", ("--api", api), "ours", **more)


def peer(name, sort="peer", **more):
    more.setdefault("without", ("deflate", "threads"))
    return Server("bench-peers", (name,), sort, **more)


def raw(name, sort, **more):
    return Server("bench-raw", (name,), sort, **more)


def command(*args, **more):
    return Server("towline-cli", ("echo", "--listen", "127.0.0.1:0", *args), "ours", **more)


NO_FRAMES = ("deflate", "threads", "client", "frames")

SERVERS = {
    "raw": raw("epoll", "raw", without=("tls", "churn", "deflate", "threads", "client")),
    "raw-tokio": raw("tokio", "raw", without=("churn", "deflate", "threads", "client")),
    "raw-accept": raw("accept", "limit", only=("churn",)),
    "floor-ws": raw("floor", "limit", without=("tls", "deflate", "threads", "client")),
    # The load itself, as a client: the limit of one.
    "load": Server("bench-load", (), "limit", only=("client",)),
    # One line for each API of bench/towline.
    "towline": ours("batch", without=("deflate", "threads")),
    "towline-pieces": ours("pieces", without=("deflate", "threads")),
    "towline-recv": ours("recv", without=("deflate", "threads")),
    # The command that people run; it streams what it echoes.
    "towline-echo": command(without=("deflate", "client")),
    "towline-echo-2": command("--threads", "2", only=("threads",)),
    "towline-echo-deflate": command("--deflate", only=("deflate",)),
    "tokio-tungstenite": peer("tokio-tungstenite"),
    "tokio-tungstenite-8k": peer("tokio-tungstenite-8k"),
    "fastwebsockets": peer("fastwebsockets", without=NO_FRAMES[:2] + ("frames",)),
    "fastwebsockets-frames": peer("fastwebsockets-frames", "frames", only=("frames",)),
    "tokio-websockets": peer("tokio-websockets"),
    "yawc": peer("yawc"),
    "yawc-default": peer("yawc-default", only=("idle",)),
    "yawc-streaming": peer("yawc-streaming", "frames", only=("frames",)),
    "yawc-deflate": peer("yawc-deflate", without=(), only=("deflate",)),
    "sockudo-ws": peer("sockudo-ws"),
    "sockudo-ws-deflate": peer("sockudo-ws-deflate", without=(), only=("deflate",)),
    "wtx": peer("wtx"),
}


def echo(size, connections, depth, kind="binary", frames=1, family="echo", **more):
    load = ["--size", size, "--connections", connections, "--depth", depth, "--kind", kind]
    if frames > 1:
        load += ["--frames", frames]
    return Scenario(family, tuple(map(str, load)), **more)


def client(size, connections, depth, kind="binary", **more):
    return echo(size, connections, depth, kind, family="client", limit="load", **more)


def client_churn(**more):
    load = ("--connections", "64")
    return Scenario("client", load, churn=True, limit="load", **more)


AT_ONCE = dict(limit="raw-tokio", of_limit=0.95, of_peer=1.0)
IN_FLIGHT = dict(of_limit=0.75, of_peer=3.0)
HUGE = dict(of_limit=0.80, of_peer=1.8, most=4)
KIB = 1024

SCENARIOS = {
    "small16x1d1": echo(16, 1, 1, **AT_ONCE),
    "small16x16d1": echo(16, 16, 1, **AT_ONCE),
    "small16x256d1": echo(16, 256, 1, **AT_ONCE),
    "small125x1d1": echo(125, 1, 1, **AT_ONCE),
    "small125x16d1": echo(125, 16, 1, **AT_ONCE),
    "small125x256d1": echo(125, 256, 1, **AT_ONCE),
    "small16x1d64": echo(16, 1, 64),
    "small16x16d64": echo(16, 16, 64, **IN_FLIGHT),
    "small16x256d64": echo(16, 256, 64, **IN_FLIGHT),
    "small125x16d64": echo(125, 16, 64, **IN_FLIGHT),
    "small125x256d64": echo(125, 256, 64, **IN_FLIGHT),
    "ascii1k": echo(KIB, 16, 8, "ascii", of_limit=0.85, of_peer=1.4),
    "text4k": echo(4 * KIB, 16, 8, "text", of_limit=0.68, of_peer=1.4),
    "text4kfrag": echo(4 * KIB, 16, 8, "text", 4, of_limit=0.68, of_peer=1.4),
    "bin16k": echo(16 * KIB, 16, 4, of_limit=0.84, of_peer=1.05),
    "bin1m": echo(KIB * KIB, 4, 2, of_limit=0.85, of_peer=1.0),
    "wss16k": echo(16 * KIB, 4, 2, tls=True, limit="raw-tokio", of_limit=0.94, of_peer=1.0),
    "churn": Scenario("churn", limit="raw-accept", of_limit=0.95, of_peer=1.0),
    "hugeframe": Scenario("huge", **HUGE),
    "huge64k": Scenario("huge", ("--frame", "65536"), **HUGE),
    "idle": Scenario("idle", of_peer=0.3, most=1.5 * KIB),
    "idletls": Scenario("idle", tls=True, of_peer=1.0, most=16 * KIB),
    "deflate1k": Scenario("deflate", of_peer=1.0),
    "deflate1knotakeover": Scenario("deflate", ("--no-takeover",), of_peer=1.0),
    # The targets for a server hold for a client too.
    "client16x1d1": client(16, 1, 1, of_limit=0.95, of_peer=1.0),
    "client16x16d1": client(16, 16, 1, of_limit=0.95, of_peer=1.0),
    "client16x256d1": client(16, 256, 1, of_limit=0.95, of_peer=1.0),
    "client125x16d1": client(125, 16, 1, of_limit=0.95, of_peer=1.0),
    "client16x16d64": client(16, 16, 64, **IN_FLIGHT),
    "client16x256d64": client(16, 256, 64, **IN_FLIGHT),
    "client125x16d64": client(125, 16, 64, **IN_FLIGHT),
    "clientascii1k": client(KIB, 16, 8, "ascii", of_limit=0.85, of_peer=1.4),
    "clienttext4k": client(4 * KIB, 16, 8, "text", of_limit=0.68, of_peer=1.4),
    "clientbin16k": client(16 * KIB, 16, 4, of_limit=0.84, of_peer=1.05),
    "clientbin1m": client(KIB * KIB, 4, 2, of_limit=0.85, of_peer=1.0),
    "clientwss16k": client(16 * KIB, 4, 2, tls=True, of_limit=0.94, of_peer=1.0),
    "clientchurn": client_churn(of_limit=0.95, of_peer=1.0),
    # One thread of ours against two: 1/1.05 of it at least.
    "threads": echo(16, 64, 8, family="threads", limit="towline-echo", of_limit=0.95),
}
