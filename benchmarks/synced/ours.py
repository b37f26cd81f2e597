"""Tenon's side, a process of its own: `ours HOME SYNC` runs a sync once and prints what it took."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from tenon.assembly import open_tenon
from tenon.connect.runner import Runner


def main() -> int:
    """Run the sync; seconds, CPU seconds, peak memory and counts as JSON."""
    home, code = Path(sys.argv[1]), sys.argv[2]
    with open_tenon(home) as tenon:
        before = resource.getrusage(resource.RUSAGE_SELF)
        started = time.perf_counter()
        outcome = Runner(tenon.connect).sync(code)
        seconds = time.perf_counter() - started
        assert outcome.error is None, outcome.error
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    counts = outcome.counts
    print(json.dumps({
        "seconds": seconds, "cpu": cpu, "megabytes": after.ru_maxrss / 1024,
        "read": counts.read, "applied": counts.applied,
    }))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
