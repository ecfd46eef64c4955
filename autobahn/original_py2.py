# The Autobahn TestSuite's own command, `wstest`, made to start on PyPy 2.7. Run by run.py.
#
# PyPy comes without a compiled OpenSSL: twisted's TLS module cannot be imported there. The suite
# imports it early and needs it only for wss:, so an empty stand-in is enough.
#
# PyPy's collector does not see the memory behind zlib's contexts: collect after each case that
# moves much, or groups 9, 12 and 13 together take gigabytes.

import gc
import sys
import types
import warnings

warnings.filterwarnings("ignore")

import twisted.internet

try:
    import twisted.internet.ssl
except ImportError:
    stand_in = types.ModuleType("twisted.internet.ssl")
    stand_in.ClientContextFactory = object
    twisted.internet.ssl = sys.modules["twisted.internet.ssl"] = stand_in

from autobahntestsuite import fuzzing, wstest

HEAVY_CASES = ("Case9_", "Case12_", "Case13_")
connection_lost = fuzzing.FuzzingProtocol.connectionLost


def collect_when_lost(self, reason):
    case = getattr(self, "runCase", None)
    connection_lost(self, reason)
    if case and case.__class__.__name__.startswith(HEAVY_CASES):
        gc.collect()


fuzzing.FuzzingProtocol.connectionLost = collect_when_lost
wstest.run()
