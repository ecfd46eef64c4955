# The one list of commands. Each is a script, so that a machine without `just` can run it too.

# What there is.
default:
    @just --list --unsorted

# Two endpoints of ours, text, binary and a large file, in one command.
demo *ARGS:
    cargo run --release -- demo {{ ARGS }}

# The page, the echo, uploads and downloads, on http://127.0.0.1:8080.
serve *ARGS:
    cargo run --release -- serve {{ ARGS }}

# All tests.
test *ARGS:
    scripts/test {{ ARGS }}

# Ten thousand lives of two sockets with faults, on virtual time; scripts/simulate tells how to see one.
simulate *SEEDS:
    scripts/simulate {{ SEEDS }}

# Format the code.
fmt:
    scripts/fmt --write

# Clippy, with warnings as errors.
lint:
    scripts/lint

# The documentation, with warnings as errors.
doc:
    scripts/doc

# Licences, bans and sources of the dependencies.
deps:
    scripts/deps

# The Autobahn cases, both roles, against autobahn/expected.json.
conformance *ARGS:
    scripts/conformance {{ ARGS }}

# Our client through squid, tinyproxy, dante and ssh, and behind haproxy, nginx and apache.
proxies *WORDS:
    scripts/proxies {{ WORDS }}

# Unmodified programs, and every way out that we know, under `towline run`; needs root.
isolation *WORDS:
    scripts/isolation {{ WORDS }}

# What `towline run` costs, beside the same without it; needs root and a quiet machine.
isolation-cost:
    scripts/isolation-cost

# Real peers: Python's websockets, Node's ws, Chromium.
interop *PEERS:
    scripts/interop {{ PEERS }}

# The hostile peer against our servers and clients, or against `--peers NAME=COMMAND...`.
abuse *ARGS:
    scripts/abuse {{ ARGS }}

# The same against the servers of bench/peers: the tables of bench/abuse.md.
abuse-peers:
    scripts/abuse-peers

# A message of 20 GiB through our servers, and a demo with 2 GiB, in constant memory.
huge *SIZES:
    scripts/huge {{ SIZES }}

# What ten thousand idle connections cost, and two thousand over TLS.
idle *COUNTS:
    scripts/idle {{ COUNTS }}

# What compression costs a connection, for each way to set it.
deflate-memory:
    scripts/deflate-memory

# Our server and client beside others: tables in Markdown.
bench *ARGS:
    scripts/bench {{ ARGS }}

# Instructions that one message costs us, against bench/instructions.json.
instructions *ARGS:
    scripts/instructions {{ ARGS }}

# An hour of mixed load, faults and reconnects on 5,000 connections; or so long, and so many.
soak *SECONDS_CONNECTIONS:
    scripts/soak {{ SECONDS_CONNECTIONS }}

# Each fuzz target for some seconds.
fuzz SECONDS="60" *TARGETS:
    scripts/fuzz {{ SECONDS }} {{ TARGETS }}

# Everything that a change has to pass.
all:
    .ci/run
