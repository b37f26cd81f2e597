"""Deciding, inside the writing transaction, which golden record a row of base data belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from tenon.connect import presence
from tenon.connect.mapping import Facts, cleaned
from tenon.connect.stage import Wait, Work
from tenon.define.models import Master, Sync
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text
from tenon.master import lookup
from tenon.master.lookup import Candidates, Known, Link
from tenon.tasks import service as tasks
from tenon.tasks.service import NewTask

_NO_MATCH = Text(
    "编码“{value}”（{name}）与任何主数据都对不上；已生成待办，请人工确认。",
    "The code “{value}” ({name}) matches no golden record. A task asks a person to settle it.",
)
_SEVERAL = Text(
    "编码“{value}”（{name}）按“{key}”对应 {count} 条主数据；已生成待办，请人工选择。",
    "The code “{value}” ({name}) matches {count} golden records by “{key}”. A task asks a person "
    "to choose.",
)
_REUSED = Text(
    "编码“{value}”（{name}）原来属于另一条主数据，现在的关键信息指向别的记录，可能被重复使用；"
    "已生成待办，请人工确认。",
    "The code “{value}” ({name}) belonged to another golden record than the one its keys name "
    "now; it may have been reused. A task asks a person to settle it.",
)
MATCHED = Text("关键信息吻合，已自动关联。", "The keys agree; linked without a person.")
_FRESH = "#"


@dataclass(slots=True)
class Decision:
    """What becomes of one row."""

    work: Work
    record_id: str | None = None  # of a founding row not yet written: `#<position>`
    write: bool = False
    link: Link | None = None
    reason: SetAside | None = None
    waits: list[Wait] = field(default_factory=list)
    task: NewTask | None = None


class Identifier:
    """Decides the rows of one batch, in their order."""

    def __init__(
        self, master: Master, sync: Sync, owner: Sync | None = None, *, force: bool = False
    ) -> None:
        self._master, self._owner, self._force = master, owner, force
        self._source, self._stream = sync.source, sync.stream.name
        self._yields = False
        self._order = [k.code for k in master.keys]
        self._cleans = {k.code: k.clean for k in master.keys}

    def decide(self, tx: Connection, works: Sequence[Work]) -> list[Decision]:
        """A decision for each row that has an identity."""
        pairs = [(w, w.facts) for w in works if w.facts is not None]
        lookup.lock(tx, self._master.entity)
        self._yields = self._owner is not None and not presence.is_absent(tx, self._owner)
        known = lookup.codes(tx, self._master.entity, self._source, {f.code for _, f in pairs})
        wanted: dict[str, set[str]] = {}
        clean = [cleaned(f.keys, self._cleans) for _, f in pairs]
        for keys in clean:
            for key, value in keys.items():
                wanted.setdefault(key, set()).add(value)
        found = lookup.candidates(tx, self._master.entity, wanted)
        decisions: list[Decision] = []
        for at, ((work, facts), keys) in enumerate(zip(pairs, clean, strict=True)):
            decision = self._one(work, facts, keys, known.get(facts.code), found, at)
            decisions.append(decision)
            if decision.record_id:
                for key, value in keys.items():
                    pair = (facts.keys[key], decision.record_id)
                    found.setdefault((key, value), set()).add(pair)
                how = decision.link.how if decision.link else "exact"
                known.setdefault(facts.code, Known(decision.record_id, how, facts.name, work.key))
        return decisions

    def _one(
        self, work: Work, facts: Facts, keys: dict[str, str], hit: Known | None,
        found: Candidates, at: int,
    ) -> Decision:  # fmt: skip
        decision = Decision(work)
        match = lookup.match(self._order, facts.keys, keys, found)
        if hit is not None:
            reused = match is not None and hit.record_id not in match.record_ids
            if reused and hit.how != "confirmed":
                return self._ask(decision, facts, "code_reused", match)
            decision.record_id = hit.record_id
            # Only the row that founded a record may change it.
            decision.write = hit.how == "founding" and hit.key == work.key
            return decision
        if match is not None:
            if len(match.record_ids) > 1:
                return self._ask(decision, facts, "several", match)
            decision.record_id = match.record_ids[0]
            decision.link = self._link(work, facts, decision.record_id, match.how, match.key)
            return decision
        if not ((facts.may_found and not self._yields) or self._force):
            self._ask(decision, facts, "unknown_code", None)
            decision.waits += [
                ("key", self._master.entity, key, value[:400]) for key, value in keys.items()
            ]
            if facts.may_found and self._yields and self._owner is not None:
                owner = self._owner  # should it turn out to be absent, this row may found
                decision.waits.append(("none", owner.source, "", owner.stream.name))
            return decision
        decision.record_id, decision.write = f"{_FRESH}{at}", True
        decision.link = self._link(work, facts, decision.record_id, "founding", None)
        return decision

    def _ask(
        self, decision: Decision, facts: Facts, kind: str, match: lookup.Match | None
    ) -> Decision:
        text = {"code_reused": _REUSED, "several": _SEVERAL, "unknown_code": _NO_MATCH}[kind]
        ids = tuple(i for i in match.record_ids if not i.startswith(_FRESH)) if match else ()
        decision.reason = SetAside(
            kind, text, value=facts.code, name=facts.name, count=len(ids),
            key=match.key if match else "",
        )  # fmt: skip
        decision.task = NewTask(
            self._master.entity, self._source, facts.code[:200], kind, facts.name[:400],
            self._stream, decision.work.key, candidates=ids,
        )  # fmt: skip
        if kind != "code_reused":
            decision.waits = [("code", self._master.entity, self._source, facts.code[:200])]
        return decision

    def _link(self, work: Work, facts: Facts, record: str, how: str, on: str | None) -> Link:
        return Link(
            self._master.entity, self._source, facts.code[:200], record, facts.name, how, on,
            stream=self._stream, key=work.key,
        )  # fmt: skip

    def write(self, tx: Connection, decisions: Sequence[Decision]) -> None:
        """Write links, keys and names of decisions whose records now exist."""
        entity, source = self._master.entity, self._source
        settled = [d for d in decisions if d.record_id]
        links = [d.link for d in settled if d.link]
        lookup.link(tx, links)
        known = [d for d in settled if not d.link and d.work.facts]
        lookup.drop_keys(tx, entity, source, {d.work.facts.code for d in known if d.work.facts})
        keys: list[tuple[str, str, str, str, str]] = []
        for one in settled:
            facts = one.work.facts
            if facts is None or one.record_id is None:
                continue
            for key, value in cleaned(facts.keys, self._cleans).items():
                keys.append((facts.code[:200], one.record_id, key, facts.keys[key], value))
        lookup.put_keys(tx, entity, source, keys)
        for one in known:
            if one.work.facts:
                lookup.rename(tx, entity, source, one.work.facts.code, one.work.facts.name)
        tasks.close_matched(tx, entity, source, {link.code for link in links}, MATCHED)
