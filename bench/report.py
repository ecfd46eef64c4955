"""Results as Markdown."""
import datetime
import os
import platform
import subprocess
from pathlib import Path
from statistics import median

from scenarios import SCENARIOS, SERVERS


def report(samples, rounds, seconds):
    parts = [f"{datetime.date.today()}, {cpu_model()}, Linux {platform.release()}, {compiler()}, "
             f"commit {commit()}, load average {os.getloadavg()[0]:.1f}; medians "
             f"[minimum..maximum] of {rounds} interleaved rounds of {seconds} s"]
    for name, done in samples.items():
        parts += [f"**{name}**", DETAILS.get(SCENARIOS[name].family, messages)(name, done)]
    parts += ["**Summary**", summary(samples)]
    return "\n\n".join(parts)


def cpu_model():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} × {line.split(':', 1)[1].strip()}"
    return "an unknown CPU"


def compiler():
    return subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True,
                          check=False).stdout.strip().split(" (")[0]


def commit():
    return subprocess.run(["git", "-C", str(Path(__file__).parent), "describe", "--always",
                           "--dirty"], stdout=subprocess.PIPE, text=True,
                          check=False).stdout.strip()


def messages(name, done):
    limit_name = SCENARIOS[name].limit
    limit = middle(done.get(limit_name), "us")
    family = SCENARIOS[name].family
    head = ["server" if family != "client" else "client", "CPU µs a message", f"× {limit_name}"]
    if family != "client":
        head += ["p50 µs", "p99 µs", "p99.9 µs", "syscalls a message", "base MiB", "peak over it"]
    if family == "deflate":
        head += ["reply bytes", "takeover"]
    if family == "threads":
        head += ["shares of the threads"]
    rows = []
    for server, samples in by(done, "us"):
        row = [server, spread(samples, "us"), ratio(limit, middle(samples, "us"))]
        if family != "client":
            row += [number(median(sample["latency_us"][at] for sample in samples))
                    for at in ("p50", "p99", "p999")]
            row += [number(middle(samples, at)) for at in ("syscalls", "base_mib", "peak_mib")]
        if family == "deflate":
            row += [number(middle(samples, "reply_bytes")),
                    "yes" if samples[0]["takeover"] else "no"]
        if family == "threads":
            row += [shares(samples)]
        rows.append(row)
    return table(head, rows)


def shares(samples):
    """What each thread did of the work: of those that did any."""
    busy = [[time for time in sample["cpu_ns_by_thread"] if time > sample["cpu_ns"] / 100]
            for sample in samples]
    return "; ".join(" ".join(f"{time / sum(times):.0%}" for time in sorted(times, reverse=True))
                     for times in busy)


def huge(name, done):
    limit = middle(done.get(SCENARIOS[name].limit), "us")
    rows = []
    for server, samples in by(done, "us"):
        for sample in samples:
            sample["rate"] = sample["bytes"] / sample["us"]
        rows.append([server, spread(samples, "rate"), ratio(limit, middle(samples, "us")),
                     number(middle(samples, "peak_mib")),
                     number(middle(samples, "first_byte_ms"))])
    return table(["server", "MB per CPU second", f"× {SCENARIOS[name].limit}",
                  "peak MiB over base", "first echoed byte, ms"], rows)


def idle(_, done):
    rows = [[server, spread(samples, "opened"), spread(samples, "used")]
            for server, samples in by(done, "used")]
    return table(["server", "bytes a connection, opened", "after one 16 KiB echo each"], rows)


DETAILS = {"huge": huge, "idle": idle}


def summary(samples):
    """Each of ours against the limit, the fastest Rust peer and the targets."""
    rows = []
    for name, done in samples.items():
        lines = held if SCENARIOS[name].family == "idle" else spent
        rows += lines(name, SCENARIOS[name], done)
    return table(["scenario", "ours", "against", "is", "target", "holds"], rows)


def spent(name, scenario, done):
    rows = []
    best = best_peer(done, "us")
    for ours, samples in by(done, "us"):
        us = middle(samples, "us")
        if SERVERS[ours].sort != "ours" or ours == scenario.limit:
            continue
        rows.append([name, ours, scenario.limit,
                     *judged(quotient(middle(done.get(scenario.limit), "us"), us),
                             scenario.of_limit)])
        if scenario.family != "threads":
            rows.append([name, ours, best or "fastest peer",
                         *judged(quotient(middle(done.get(best), "us"), us), scenario.of_peer)])
        if scenario.family == "deflate" and best:
            # Faster counts at the same or a smaller output only.
            bytes_out = middle(samples, "reply_bytes")
            rows.append([name, ours, f"{best}'s output",
                         *at_most(quotient(bytes_out, middle(done[best], "reply_bytes")), 1.0)])
        frames = best_peer(done, "us", "frames")
        if frames:
            rows.append([name, ours, frames,
                         *judged(quotient(middle(done[frames], "us"), us), None)])
        if scenario.family == "huge":
            peak = middle(samples, "peak_mib")
            rows.append([name, ours, "MiB over base", *at_most(peak, scenario.most)])
    return rows


def held(name, scenario, done):
    rows = []
    for when in ("opened", "used"):
        best = best_peer(done, when)
        for ours, samples in by(done, when):
            if SERVERS[ours].sort != "ours":
                continue
            size = middle(samples, when)
            what = f"{name}, {when}"
            rows.append([what, ours, "bytes", *at_most(size, scenario.most)])
            rows.append([what, ours, best or "best peer",
                         *at_most(quotient(size, middle(done.get(best), when)),
                                  scenario.of_peer)])
    return rows


def best_peer(done, field, sort="peer"):
    peers = {name: middle(samples, field) for name, samples in done.items()
             if SERVERS[name].sort == sort and samples}
    return min(peers, key=peers.get) if peers else None


def judged(value, target):
    if target is None:
        return number(value), "–", "–"
    holds = "–" if value is None else "yes" if value >= target else "no"
    return number(value), f"≥ {target}", holds


def at_most(value, most):
    holds = "–" if value is None else "yes" if value <= most else "no"
    return number(value), f"≤ {number(most)}", holds


def by(done, field):
    """Those that have samples, the best first."""
    some = [(name, samples) for name, samples in done.items() if samples]
    return sorted(some, key=lambda item: middle(item[1], field))


def middle(samples, field):
    values = [sample[field] for sample in samples or [] if sample.get(field) is not None]
    return median(values) if values else None


def quotient(value, by_what):
    return value / by_what if value is not None and by_what else None


def ratio(limit, value):
    return number(quotient(limit, value))


def spread(samples, field):
    values = [sample[field] for sample in samples]
    return f"{number(median(values))} [{number(min(values))}..{number(max(values))}]"


def number(value):
    """Three figures: what the measurements are worth."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.995 else f"{value:.3f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines)
