"""Run the Autobahn cases by the kosoku package; started by run.py in kosoku's own environment.

Writes {case id: [behavior, behavior of the close]} as JSON, whatever the verdicts are: judging
them is run.py's work.
"""

import argparse
import asyncio
import json
from pathlib import Path

from kosoku import FailureError, run_fuzzingclient, run_fuzzingserver


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", required=True)
    parser.add_argument("--exclude", default="", help="cases to leave out")
    parser.add_argument("--out", required=True, type=Path)
    role = parser.add_mutually_exclusive_group(required=True)
    role.add_argument("--server", metavar="URL", help="the server under test")
    role.add_argument("--client", metavar="FILE", type=Path, help="where to put the URL for the client")
    options = parser.parse_args()
    cases = [f"{group}.*" for group in options.groups.split(",")]
    excluded = [case for case in options.exclude.split(",") if case]

    try:
        if options.server:
            results = await run_fuzzingclient(options.server, cases, excluded)
        else:
            async with run_fuzzingserver(cases, excluded, host="127.0.0.1", port=0) as server:
                # Named in one step, so that nobody reads half an address.
                part = options.client.with_suffix(".part")
                part.write_text(f"ws://{server.address}:{server.port}")
                part.rename(options.client)
                results = await server.get_result()
    except FailureError as failure:
        results = failure.results
    verdicts = {r.case_id: [r.behavior.value, r.behavior_close.value] for r in results}
    options.out.write_text(json.dumps(verdicts))


asyncio.run(main())
