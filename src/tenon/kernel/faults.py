"""Named fault points: no-ops in production, places to die or fail in the crash tests.

Set `TENON_FAULT="name:action:nth"` (actions: kill, raise) to act on the nth passage.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import ClassVar, Final

# Every point of the product, each group in the order it is passed; the crash matrices walk these.
SYNC_POINTS: Final = (
    "sync.plan.after",
    "sync.connect.after",
    "sync.read.after",
    "sync.stage.after",
    "sync.apply.before",
    "sync.apply.after",
    "sync.watermark.after",
    "sync.commit.after",
    "sync.report.before",
    "sync.report.after",
)
HOOK_POINTS: Final = ("hook.store.before", "hook.store.after", "hook.fetch.after")
JOB_POINTS: Final = ("job.claim.after", "job.done.before", "job.done.after")
FLOW_POINTS: Final = ("flow.start.after", "flow.local.before", "flow.local.after")
PUSH_POINTS: Final = (
    "push.intend.after",
    "push.call.before",
    "push.call.after",
    "push.record.before",
    "push.record.after",
)
REPORT_POINTS: Final = ("report.store.before", "report.store.after")
POINTS: Final = (
    *SYNC_POINTS,
    *HOOK_POINTS,
    *JOB_POINTS,
    *FLOW_POINTS,
    *PUSH_POINTS,
    *REPORT_POINTS,
)


class InjectedFault(Exception):
    """Raised by a fault point armed with `raise`."""


class _State:
    armed: tuple[str, str, int] | None = None
    passed: ClassVar[Counter[str]] = Counter()


def arm(spec: str | None) -> None:
    """Arm one point from its `name:action:nth` spec, or disarm with None."""
    _State.passed.clear()
    if not spec:
        _State.armed = None
        return
    name, action, nth = spec.split(":")
    if name not in POINTS or action not in {"kill", "raise"}:
        message = f"unknown fault {spec!r}; points: {', '.join(POINTS)}; actions: kill, raise"
        raise ValueError(message)
    _State.armed = (name, action, int(nth))


def point(name: str) -> None:
    """Pass the fault point `name`."""
    armed = _State.armed
    if armed is None or armed[0] != name:
        return
    _State.passed[name] += 1
    if _State.passed[name] == armed[2]:
        if armed[1] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise InjectedFault(name)


arm(os.environ.get("TENON_FAULT"))
