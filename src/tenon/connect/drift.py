"""Drift: what a source's columns were, what they are now, and what a stream does about it.

A column that is gone or of another type is noted (`accept`), waits for a person (`ask`), or
stops the stream (`stop`); new ones are noted. Rows wait in their own system meanwhile: the
watermark stays. A column that a mapping needs is never taken for empty unless a person said so;
then its fields keep the values they have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import Column, Connector, StreamStopped
from tenon.connect.deps import ConnectDeps
from tenon.connect.tables import sync_shape
from tenon.define.catalogue import Catalogue
from tenon.define.models import MapRule, Sync
from tenon.kernel import clock
from tenon.kernel.errors import BadInput, Conflict
from tenon.kernel.text import Text
from tenon.store import announce
from tenon.store.upsert import insert_or_change

Shape = dict[str, str]  # {column: what kind of values it holds}
_KEPT_CHANGES: Final = 20
_KINDS: Final = {
    "integer": ("TINYINT", "SMALLINT", "MEDIUMINT", "INTEGER", "INT", "BIGINT"),
    "decimal": ("NUMERIC", "DECIMAL", "MONEY", "SMALLMONEY"),
    "float": ("FLOAT", "REAL", "DOUBLE", "DOUBLE_PRECISION"),
    "text": (
        "CHAR", "VARCHAR", "NCHAR", "NVARCHAR", "TEXT", "NTEXT", "TINYTEXT", "MEDIUMTEXT",
        "LONGTEXT", "CLOB", "ENUM",
    ),
    "time": ("DATETIME", "DATETIME2", "SMALLDATETIME", "TIMESTAMP", "TIMESTAMPTZ"),
}  # fmt: skip
_KIND_OF: Final = {name: kind for kind, names in _KINDS.items() for name in names}
_WORDS: Final = {
    "new": Text(
        "新增列“{column}”（{now}）：尚未使用，如需要请加入映射",
        "new column “{column}” ({now}): not used; map it if you need it",
    ),
    "gone": Text("列“{column}”不见了", "the column “{column}” is gone"),
    "type": Text(
        "列“{column}”的类型由 {was} 变为 {now}", "the column “{column}” was {was} and is {now} now"
    ),
    "back": Text("列“{column}”恢复原样", "the column “{column}” is as it was"),
}
_ASKS = Text(
    "来源的“{stream}”变了：{zh}。已暂停读取这个数据流，其他照常；数据在对方系统中等待，不会丢失。"
    "请在“来源”页接受或拒绝，或让对方恢复。",
    "“{stream}” has changed in the source: {en}. This stream is not read, the others are; its data "
    "waits there, nothing is lost. Accept or refuse it on the Sources page, or have it restored.",
)
_REFUSED = Text(
    "来源的“{stream}”变了：{zh}。{by}已拒绝；恢复原样后自动继续读取。",
    "“{stream}” has changed in the source: {en}. {by} refused it; reading goes on by itself once "
    "it is as it was.",
)
_STOPPED = Text(
    "来源的“{stream}”变了：{zh}。按约定停止读取这个数据流，其他照常。请让对方恢复，或修改映射后"
    "重新发布；数据在对方系统中等待，不会丢失。",
    "“{stream}” has changed in the source: {en}. As agreed this stream stops; the others go on. "
    "Have it restored, or change the mapping and publish; its data waits there, nothing is lost.",
)
_NOTHING = Text("“{sync}”没有等待决定的变化。", "No change of “{sync}” waits for a decision.")
_NEEDED = Text(
    "不能没有列 {columns}：它是主键、水位或必填字段的来源。请让对方恢复，或修改定义。",
    "It cannot do without {columns}: the key, the cursor or a required field comes from there. "
    "Have it restored, or change the definition.",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was: new, gone, type (of another one), back."""

    kind: str
    column: str
    was: str | None = None
    now: str | None = None

    def text(self) -> Text:
        """As people read it."""
        return _WORDS[self.kind].format(column=self.column, was=self.was, now=self.now)

    def kept(self) -> dict[str, Any]:
        """As it is kept."""
        at = clock.now().isoformat()
        return {"kind": self.kind, "column": self.column, "was": self.was, "now": self.now,
                "at": at}  # fmt: skip


def look(deps: ConnectDeps, sync: Sync, connector: Connector) -> Sync:
    """Compare the stream's columns with those known; StreamStopped when it must not go on.

    The sync as it can be read now: without what a person agreed to miss.
    """
    describe = getattr(connector, "columns", None)
    if describe is None:
        return sync
    now = shape_of(describe(sync.stream))
    with deps.hub.read() as connection:
        row = _known(connection, sync)
    if row is None:
        _save(deps, sync, columns=now, seen=now, state="ok", changes=[], without=[])
        return sync
    if row.state != "ok" or row.seen != now:
        _settle(deps, sync, row, now)
        with deps.hub.read() as connection:
            row = _known(connection, sync)
    return _without(sync, row.without)


def fitted(connection: Connection, sync: Sync) -> Sync:
    """The sync without the columns that a person agreed to miss."""
    row = _known(connection, sync)
    return sync if row is None else _without(sync, row.without)


def decide(tx: Connection, catalogue: Catalogue, sync: Sync, by: str, *, accept: bool) -> None:
    """Accept the columns as they are now, or refuse them until they are as they were."""
    row = _known(tx, sync)
    asked = row is not None and sync.drift == "ask" and row.state in {"asks", "refused"}
    if row is None or not asked:
        raise Conflict("no_drift", _NOTHING, sync=sync.code)
    values: dict[str, Any] = {"decided_by": by, "decided_at": clock.now(), "state": "refused"}
    if accept:
        gone = [c.column for c in _changes(row.columns, row.seen) if c.kind == "gone"]
        needed = [c for c in gone if _needed(catalogue, sync, c)]
        if needed:
            raise BadInput("column_needed", _NEEDED, columns=", ".join(needed))
        lost = {*row.without, *(c for c in gone if _reads(sync, c))}
        values |= {"state": "ok", "columns": row.seen, "without": sorted(lost)}
    s = sync_shape.c
    own = sa.and_(s.source == sync.source, s.stream == sync.stream.name)
    tx.execute(sync_shape.update().where(own).values(values))
    announce(tx, "sync_run")


def shown(connection: Connection) -> Mapping[tuple[str, str], dict[str, Any]]:
    """What is known of each stream's changes, for people, by source and stream."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(sa.select(sync_shape)):
        notes = [
            {"text": Change(c["kind"], c["column"], c["was"], c["now"]).text(), "at": c["at"]}
            for c in reversed(row.changes)
        ]
        found[row.source, row.stream] = {"state": row.state, "changes": notes}
    return found


def shape_of(columns: Iterable[Column]) -> Shape:
    """The kinds of the columns: a longer text or a wider number is the same kind."""
    return {c.name: _kind(c.type) for c in columns}


def _kind(type_: str) -> str:
    word = re.split(r"[^A-Z0-9_]", type_.upper(), maxsplit=1)[0]
    return _KIND_OF.get(word, word.lower() or "any")


def _changes(known: Shape, now: Shape) -> list[Change]:
    before, after = _folded(known), _folded(now)
    found = [Change("new", n, None, now[n]) for n in now if n.casefold() not in before]
    for name, kind in known.items():
        if name.casefold() not in after:
            found.append(Change("gone", name, kind))
        elif after[name.casefold()] != kind:
            found.append(Change("type", name, kind, after[name.casefold()]))
    return found


def _settle(deps: ConnectDeps, sync: Sync, row: Any, now: Shape) -> None:
    """Note what changed, and raise when the stream must wait or stop."""
    changes = _changes(row.columns, now)
    grave = [c for c in changes if c.kind != "new" and _reads(sync, c.column)]
    if sync.drift == "accept":
        # What a mapping needs is not simply taken for empty.
        grave = [c for c in grave if c.kind == "gone" and _used(sync, c.column)]
    fresh = [c for c in changes if c not in _changes(row.columns, row.seen)]
    if row.state != "ok" and not grave:
        fresh += [Change("back", c.column) for c in _changes(row.columns, row.seen)
                  if c.kind != "new" and c not in changes]  # fmt: skip
    same = row.seen == now
    state = _state(sync, row, grave, same=same)
    columns = now if not grave else row.columns
    lost = [c for c in row.without if c.casefold() not in _folded(now)]
    notes = [*row.changes, *(c.kept() for c in fresh)][-_KEPT_CHANGES:]
    if not same or state != row.state:
        _save(deps, sync, columns=columns, seen=now, state=state, changes=notes, without=lost)
    if grave:
        raise _stop(sync, grave, state, row.decided_by)


def _state(sync: Sync, row: Any, grave: list[Change], *, same: bool) -> str:
    if not grave:
        return "ok"
    if sync.drift != "ask":
        return "stopped"
    return "refused" if same and row.state == "refused" else "asks"


def _stop(sync: Sync, grave: list[Change], state: str, by: str | None) -> StreamStopped:
    words = {"asks": _ASKS, "refused": _REFUSED, "stopped": _STOPPED}[state]
    texts = [c.text() for c in grave]
    return StreamStopped(
        f"drift_{state}", words, stream=sync.stream.name, by=by or "",
        zh="；".join(t.zh for t in texts), en="; ".join(t.en for t in texts),
    )  # fmt: skip


def _without(sync: Sync, lost: list[str]) -> Sync:
    """The sync without these columns: fields that came from them keep their values."""
    if not lost:
        return sync
    gone = {c.casefold() for c in lost}
    stream = sync.stream
    joins = tuple(
        j.model_copy(update={
            "columns": tuple(c for c in j.columns if (j.prefix + c).casefold() not in gone)
        })
        for j in stream.join
    )  # fmt: skip
    left = stream.model_copy(update={
        "columns": tuple(c for c in stream.columns if c.casefold() not in gone), "join": joins,
    })  # fmt: skip
    fields = {
        code: rule for code, rule in sync.fields.items() if gone.isdisjoint(_columns_of(rule))
    }
    return sync.model_copy(update={"stream": left, "fields": fields})


def _reads(sync: Sync, column: str) -> bool:
    """Whether the stream reads the column; one that it may lack is not missed."""
    stream, name = sync.stream, column.casefold()
    if name in {c.casefold() for c in stream.may_lack}:
        return False
    if not stream.columns or _used(sync, column):
        return True
    return name in {c.casefold() for c in stream.columns}


def _used(sync: Sync, column: str) -> bool:
    """Whether a mapping, the key, the cursor or a filter needs the column."""
    name = column.casefold()
    return name in _pillars(sync) or any(name in _columns_of(r) for r in sync.fields.values())


def _needed(catalogue: Catalogue, sync: Sync, column: str) -> bool:
    """Whether nothing can be read without the column."""
    if column.casefold() in _pillars(sync):
        return True
    required = {f.code for f in catalogue.entity(sync.target).fields if f.required}
    return any(
        code in required and column.casefold() in _columns_of(rule)
        for code, rule in sync.fields.items()
    )


def _pillars(sync: Sync) -> set[str]:
    """The columns that carry a stream: its key, cursor, filters, joins and identity."""
    return {name.casefold() for name in _pillar_names(sync)}


def _pillar_names(sync: Sync) -> Iterator[str]:
    stream = sync.stream
    yield from stream.key
    yield from stream.where
    if stream.cursor is not None:
        yield from filter(None, (stream.cursor.column, stream.cursor.version))
    for join in stream.join:
        yield from join.match
    if sync.identity is not None:
        yield from (sync.identity.code, sync.identity.name, *sync.identity.keys.values())
        yield from sync.identity.found_only_if


def _columns_of(rule: MapRule) -> set[str]:
    names = (rule.from_,) if isinstance(rule.from_, str) else rule.from_ or ()
    return {n.casefold() for n in (*names, *((rule.times,) if rule.times else ()))}


def _folded(shape: Shape) -> Shape:
    return {name.casefold(): kind for name, kind in shape.items()}


def _known(connection: Connection, sync: Sync) -> Any:
    s = sync_shape.c
    query = sa.select(sync_shape).where(s.source == sync.source, s.stream == sync.stream.name)
    return connection.execute(query).first()


def _save(deps: ConnectDeps, sync: Sync, **values: Any) -> None:
    row = {"source": sync.source, "stream": sync.stream.name, "seen_at": clock.now()} | values
    with deps.hub.write(durable=False) as tx:
        tx.execute(insert_or_change(tx, sync_shape, ("seen_at", *values)), [row])
        announce(tx, "sync_run")
