"""A draft's first rows through the real mapper, look-ups and identities; nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect import browse
from tenon.connect.contract import StreamAbsent
from tenon.connect.deps import ConnectDeps
from tenon.connect.identity import Decision, Identifier
from tenon.connect.mapping import Mapper
from tenon.connect.resolve import Resolver
from tenon.connect.service import REASONS
from tenon.connect.stage import Wait, Work, changed
from tenon.define.catalogue import Catalogue, check
from tenon.define.models import Entity, FieldDef, Master, Sync
from tenon.kernel import clock
from tenon.kernel.decimals import plain
from tenon.kernel.errors import Conflict, SetAside, TenonError
from tenon.kernel.text import Text
from tenon.records.tables import entity_tables

_TAKEN = Text(
    "“{field}”为“{value}”的记录已经存在（来自 {source}）；同一个编号不能有两条记录。",
    "There is a record whose “{field_en}” is “{value}” already (from {source}); a number belongs "
    "to one record only.",
)
_UNFILLED = Text(
    "“{field}”必填：请选择一列，或填写固定值。",
    "“{field_en}” is required: choose a column, or give a constant.",
)
_NO_KEY = Text(
    "请选择能唯一识别一行的列（主键）。", "Choose the columns that recognise a row (its key)."
)
_EMPTY = Text("请至少把一列对应到字段。", "Let at least one column fill a field.")
_NEW = Text("新建：{name}", "New: {name}")
_KNOWN = Text("已有：{name}", "Known: {name}")
_YES, _NO = Text("是", "Yes"), Text("否", "No")
_WAITS: Final = {
    "code": Text("编码“{value}”与主数据的对应关系", "the golden record of the code “{value}”"),
    "key": Text("“{value}”这一主数据", "the golden record of “{value}”"),
    "ref": Text("“{entity}”中的“{value}”", "“{value}” in “{entity_en}”"),
    "none": Text("拥有这些主数据的系统先同步", "the system that owns these records"),
}
_ABSENT = Text("没有这个表或接口。", "There is no such table or path.")
_SAID: Final = Text("{zh}", "{en}")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a draft cannot be published; `field` is None when it is about the whole."""

    field: str | None
    message: Text


@dataclass(slots=True)
class Preview:
    """What the first rows would become."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    good: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def as_answer(self) -> dict[str, Any]:
        """As the API answers."""
        aside = sum(self.reasons.values())
        reasons = [
            {"code": code, "reason": REASONS.get(code, Text(code, code)), "count": count}
            for code, count in self.reasons.most_common()
        ]
        return {
            "rows": self.rows, "read": len(self.rows), "good": self.good, "set_aside": aside,
            "reasons": reasons, "problems": self.problems,
        }  # fmt: skip


def preview(deps: ConnectDeps, draft: Sync, limit: int) -> Preview:
    """Read the first rows and map them; problems say why that cannot be done at all."""
    wrong = problems(deps.catalogue(), draft)
    if wrong:
        return Preview(problems=wrong)
    catalogue = with_draft(deps.catalogue(), draft)
    with browse.opened(deps, draft.source) as connector:
        try:
            found = browse.sample(connector, draft.stream, limit)
        except StreamAbsent as error:
            raise Conflict("stream_absent", _SAID, zh=error.text.zh, en=error.text.en) from error
    zone = ZoneInfo(catalogue.source(draft.source).zone)
    try:
        mapper = Mapper(catalogue, draft, found.names, zone) if found.names else None
        with deps.hub.snapshot() as connection:
            return _shown(connection, catalogue, draft, mapper, found) if mapper else Preview()
    except TenonError as error:  # a column that the table does not have, a constant that is none
        return Preview(problems=[Problem(None, error.text)])


def problems(catalogue: Catalogue, draft: Sync) -> list[Problem]:
    """Why the runner would refuse the draft as a whole."""
    found: list[Problem] = []
    if not draft.stream.key:
        found.append(Problem("key", _NO_KEY))
    if not draft.fields and draft.identity is None:
        found.append(Problem(None, _EMPTY))
    entity = catalogue.entity(draft.target)
    if draft.identity is None or draft.identity.founds:
        found += [
            Problem(f.code, _UNFILLED.format(field=f.label.zh, field_en=f.label.en))
            for f in entity.fields
            if f.required and f.code not in draft.fields
        ]
    try:
        check(with_draft(catalogue, draft).definitions)
    except TenonError as error:
        found.append(Problem(None, error.text))
    return found


def with_draft(catalogue: Catalogue, draft: Sync) -> Catalogue:
    """The catalogue as if the draft were published."""
    others = (d for d in catalogue.definitions if (d.kind, d.code) != (draft.kind, draft.code))
    return Catalogue(catalogue.epoch, (*others, draft))


def _shown(
    connection: Connection, catalogue: Catalogue, draft: Sync, mapper: Mapper,
    found: browse.Sample,
) -> Preview:  # fmt: skip
    # Under a name that no source has, every row is news.
    works = changed(connection, "", "", mapper, found.rows)
    for work in works:
        _map(mapper, work)
    Resolver(catalogue, draft.source).resolve(connection, mapper, works)
    decisions = _decide(connection, catalogue, draft, works)
    taken = _taken(connection, catalogue, draft, works)
    shower = _Shower(connection, catalogue, draft, mapper)
    answer = Preview()
    for work in works:
        decision = decisions.get(work.key)
        reason = work.reason or (decision.reason if decision else None) or taken.get(work.key)
        if reason is None:
            answer.good += 1
        else:
            answer.reasons[reason.code] += 1
        answer.rows.append(shower.row(work, decision, reason))
    return answer


def _map(mapper: Mapper, work: Work) -> None:
    if work.reason is not None:
        return
    try:
        work.facts = mapper.facts(work.row)
        work.values = mapper.values(work.row)
    except SetAside as reason:
        work.refuse(reason)


def _decide(
    connection: Connection, catalogue: Catalogue, draft: Sync, works: list[Work]
) -> dict[str, Decision]:
    if draft.identity is None:
        return {}
    master = next(m for m in catalogue.of(Master) if m.entity == draft.target)
    unless = draft.identity.found_unless
    identifier = Identifier(master, draft, catalogue.sync(unless) if unless else None)
    fine = [w for w in works if w.reason is None]
    return {d.work.key: d for d in identifier.decide(connection, fine)} if fine else {}


def _taken(
    connection: Connection, catalogue: Catalogue, draft: Sync, works: list[Work]
) -> dict[str, SetAside]:
    """Rows whose number belongs to a record of another row: the database would refuse them."""
    table = entity_tables(catalogue)[draft.target]
    found: dict[str, SetAside] = {}
    for one in catalogue.entity(draft.target).fields:
        values = {w.values[one.code]: w for w in works if w.values.get(one.code) is not None}
        if not (one.unique and values):
            continue
        rows = connection.execute(
            sa.select(table.c[one.code], table.c.source, table.c.source_key).where(
                table.c[one.code].in_(values)
            )
        )
        for value, source, key in rows:
            work = values[value]
            ours = (draft.source, f"{draft.stream.name}:{work.key}"[:200])
            if (source, key) != ours:
                found[work.key] = SetAside(
                    "refused", _TAKEN, field=one.label.zh, field_en=one.label.en, value=value,
                    source=source or "Tenon",
                )  # fmt: skip
    return found


class _Shower:
    """Shows rows to people: values in words, references by what they are called."""

    def __init__(
        self, connection: Connection, catalogue: Catalogue, draft: Sync, mapper: Mapper
    ) -> None:
        self._connection, self._catalogue, self._draft = connection, catalogue, draft
        self._mapper = mapper
        self._entity = catalogue.entity(draft.target)
        self._zone = ZoneInfo(catalogue.source(draft.source).zone)
        self._titles: dict[tuple[str, str], str] = {}

    def row(self, work: Work, decision: Decision | None, reason: SetAside | None) -> dict[str, Any]:
        """A row as the API answers it."""
        return {
            "key": work.key,
            "source": [(name, text) for name, text in self._source(work)],
            "result": [
                self._result(self._entity.by_code[code], work.values.get(code))
                for code in self._draft.fields
            ],
            "outcome": self._outcome(decision),
            "problem": reason.text if reason else None,
            "waits": self._waits([*work.waits, *(decision.waits if decision else [])]),
        }

    def _source(self, work: Work) -> list[tuple[str, str | None]]:
        return [(name, cut(text)) for name, text in self._mapper.seen(work.row)]

    def _result(self, one: FieldDef, value: Any) -> dict[str, Any]:
        shown = self._in_words(one, value)
        plainly = plain(value) if isinstance(value, Decimal) else value
        text = plainly.isoformat() if isinstance(plainly, datetime) else plainly
        return {
            "field": one.code, "label": one.label.text(),
            "value": None if text is None else cut(str(text)), "shown": shown,
        }  # fmt: skip

    def _in_words(self, one: FieldDef, value: Any) -> Text | None:
        if value is None:
            return None
        if one.type == "ref":
            name = self._title(one.target or "", str(value))
            return Text(name, name)
        if one.type == "choice":
            return next((c.label.text() for c in one.choices if c.code == value), None)
        if isinstance(value, bool):
            return _YES if value else _NO
        if isinstance(value, datetime):
            text = clock.local(value, self._zone).strftime("%Y-%m-%d %H:%M")
            return Text(text, text)
        text = cut(plain(value) if isinstance(value, Decimal) else str(value)) or ""
        return Text(text, text)

    def _title(self, entity: str, record_id: str) -> str:
        place = (entity, record_id)
        if place not in self._titles:
            definition: Entity = self._catalogue.entity(entity)
            table = entity_tables(self._catalogue)[entity]
            column = table.c[definition.title] if definition.title else table.c.id
            found = self._connection.scalar(sa.select(column).where(table.c.id == record_id))
            self._titles[place] = str(found or record_id)
        return self._titles[place]

    def _outcome(self, decision: Decision | None) -> Text | None:
        """For a golden record: founded, or which one it is."""
        if decision is None or decision.record_id is None or decision.work.facts is None:
            return None
        if decision.record_id.startswith("#"):
            return _NEW.format(name=decision.work.facts.name)
        return _KNOWN.format(name=self._title(self._draft.target, decision.record_id))

    def _waits(self, waits: list[Wait]) -> Text | None:
        said = list(dict.fromkeys(filter(None, map(self._wait, waits))))[:3]
        if not said:
            return None
        return Text("；".join(t.zh for t in said), "; ".join(t.en for t in said))

    def _wait(self, wait: Wait) -> Text | None:
        kind, entity, _, value = wait
        if kind not in _WAITS:
            return None
        label = self._catalogue.entity(entity).label if kind == "ref" else None
        return _WAITS[kind].format(
            value=value, entity=label.zh if label else "", entity_en=label.en if label else ""
        )


def cut(text: str | None) -> str | None:
    """A text short enough for a table on a page."""
    return text if text is None or len(text) <= 200 else text[:200] + "…"
