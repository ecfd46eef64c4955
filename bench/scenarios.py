"""What is measured, and on whom."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Server:
    """An echo server, or a client program."""
    package: str
    args: tuple
    # raw: sends back what comes, and needs no handshake; ours; peer; limit: neither
    sort: str
    # Scenario families it cannot take part in.
    without: tuple = ()
    # Only in these families, if any are named.
    only: tuple = ()


def towline(api):
    return Server("bench-towline", ("--api", api, "serve"), "ours", without=("deflate",))


def peer(name, **more):
    more.setdefault("without", ("deflate",))
    return Server("bench-peers", (name, "serve"), "peer", **more)


SERVERS = {
    "raw": Server("bench-raw", ("epoll",), "raw", without=("tls", "churn", "deflate")),
    "raw-tokio": Server("bench-raw", ("tokio",), "raw", without=("churn", "deflate")),
    "raw-accept": Server("bench-raw", ("accept",), "limit", only=("churn",)),
    "floor-ws": Server("bench-raw", ("floor",), "limit", without=("tls", "deflate")),
    "towline-recv": towline("recv"),
    # The command that people run.
    "towline-echo": Server("towline-cli", ("echo", "--listen", "127.0.0.1:0"), "ours",
                           without=("deflate",)),
    "towline-echo-2": Server("towline-cli", ("echo", "--listen", "127.0.0.1:0", "--threads", "2"),
                             "ours", only=("threads",)),
    "tokio-tungstenite": peer("tokio-tungstenite"),
    "tokio-tungstenite-8k": peer("tokio-tungstenite-8k"),
    "fastwebsockets": peer("fastwebsockets"),
    "tokio-websockets": peer("tokio-websockets"),
    "yawc": peer("yawc"),
    "yawc-default": peer("yawc-default", only=("idle",)),
    "sockudo-ws": peer("sockudo-ws"),
    "wtx": peer("wtx"),
}


@dataclass(frozen=True)
class Scenario:
    # echo, churn, huge, idle, deflate, client, threads: which load, and which table
    family: str
    load: tuple
    tls: bool = False
    # The targets: the limit we are compared with, our share of it, and our ratio to the
    # fastest Rust peer.
    limit: str = "raw"
    of_limit: float | None = None
    of_peer: float | None = None
    # Where only some take part.
    servers: tuple = field(default=())


def echo(size, connections, depth, kind="binary", frames=1, **more):
    load = ("--size", size, "--connections", connections, "--depth", depth, "--kind", kind,
            "--frames", frames)
    return Scenario("echo", tuple(map(str, load)), **more)


AT_ONCE = dict(limit="raw-tokio", of_limit=0.95, of_peer=1.0)
IN_FLIGHT = dict(of_limit=0.75, of_peer=3.0)

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
    "ascii1k": echo(1024, 16, 8, "ascii", of_limit=0.85, of_peer=1.4),
    "text4k": echo(4096, 16, 8, "text", of_limit=0.68, of_peer=1.4),
    "text4kfrag": echo(4096, 16, 8, "text", 4, of_limit=0.68, of_peer=1.4),
    "bin16k": echo(16384, 16, 4, of_limit=0.84, of_peer=1.05),
    "bin1m": echo(1048576, 4, 2, of_limit=0.85, of_peer=1.0),
    "wss16k": echo(16384, 4, 2, tls=True, limit="raw-tokio", of_limit=0.94, of_peer=1.0),
}
