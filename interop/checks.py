"""What the checks in Python have in common: their list, how they compare, and the run."""

import time

CHECKS = []


class Skipped(Exception):
    """What the check needs is not on this machine."""


def check(name):
    def register(function):
        CHECKS.append((name, function))
        return function

    return register


def equal(found, wanted):
    if found != wanted:
        raise AssertionError(f"{str(found)[:300]!r} instead of {str(wanted)[:300]!r}")


def contains(text, *words):
    for word in words:
        if word not in text:
            raise AssertionError(f"{word!r} is not in {text[-600:]!r}")


def run_checks(kind, call, words=()):
    """Has `call` run each check, or those whose names have one of the words: how many passed, failed
    and were skipped."""
    passed = failed = skipped = 0
    for name, function in CHECKS:
        if words and not any(word in name for word in words):
            continue
        began = time.monotonic()
        try:
            call(function)
        except Skipped as why:
            print(f"did not run: {kind}: {name}: {why}", flush=True)
            skipped += 1
        except Exception as error:  # whatever it is, the check has failed
            print(f"FAILED  {kind}: {name}: {type(error).__name__}: {error}", flush=True)
            failed += 1
        else:
            print(f"ok {time.monotonic() - began:5.1f} s  {kind}: {name}", flush=True)
            passed += 1
    return passed, failed, skipped
