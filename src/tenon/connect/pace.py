"""How much is written at once, and when a stream is too poisoned to go on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tenon.connect.stage import Prepared
from tenon.define.models import Sync
from tenon.kernel.errors import Stop
from tenon.kernel.text import Text

# A person's write waits for the part before it: short parts keep that below 50 ms at p99.
AT_THE_GATE: Final = 0.03
# Where writers do not wait for one another only those of the same rows do.
SIDE_BY_SIDE: Final = 0.1
_SMALLEST: Final = 50
_LARGEST: Final = 5000
_JUDGED: Final = 200

_POISON = Text(
    "同步“{sync}”的前 {judged} 行中有 {bad} 行无法写入（最常见的原因：{reason}），已停止，"
    "水位线没有移动。请核对字段映射和来源编码后再同步。",
    "Of the first {judged} rows of the sync “{sync}” {bad} cannot be written (mostly {reason}). "
    "It has stopped and the watermark did not move. Check the mapping and the source's encoding, "
    "then sync again.",
)


class Pace:
    """The size of the next part: as many rows as one short transaction holds."""

    def __init__(self, seconds: float = AT_THE_GATE) -> None:
        self.size = 250
        self._seconds = seconds

    @contextmanager
    def timed(self, rows: int) -> Iterator[None]:
        """Learn from how long writing these rows takes, in this thread's own time.

        On a busy machine the clock on the wall would make parts ever smaller, and their fixed
        cost ever larger.
        """
        started = time.thread_time()
        yield
        if rows < _SMALLEST:
            return
        seconds = max(time.thread_time() - started, 0.001)
        wanted = rows * self._seconds / seconds
        # At most doubled or halved: one slow moment says little.
        wanted = min(max(wanted, self.size / 2), self.size * 2)
        self.size = int(min(max(wanted, _SMALLEST), _LARGEST))


class Probation:
    """Holds the first changed rows back until it is clear that most of them are good."""

    def __init__(self, sync: Sync) -> None:
        self._sync = sync.code
        self._held: list[Prepared] | None = []
        self._changed = 0
        self._bad: Counter[str] = Counter()

    def judge(self, part: Prepared) -> list[Prepared]:
        """The parts that may be written now; Stop when over half of the rows are poison."""
        if self._held is None:
            return [part]
        if not part.changed and not self._held:
            return [part]
        self._held.append(part)
        self._changed += part.changed
        self._bad.update(w.reason.code for w in part.works if w.poison and w.reason)
        if self._changed < _JUDGED:
            return []
        bad = self._bad.total()
        if bad * 2 > self._changed:
            raise Stop(
                "mostly_poison", _POISON, sync=self._sync, judged=self._changed, bad=bad,
                reason=self._bad.most_common(1)[0][0],
            )  # fmt: skip
        return self.rest()

    def rest(self) -> list[Prepared]:
        """What is still held back, as one part: of a key in several of them the last counts.

        Of blocks it is found out when they are written: a key that is there already is refused.
        """
        held, self._held = self._held or [], None
        if len(held) < 2 or any(part.block is not None for part in held):
            return held
        works = {w.key: w for part in held for w in part.works}
        read = sum(p.read for p in held)
        return [Prepared(read, list(works.values()), held[-1].watermark, held[0].told)]
