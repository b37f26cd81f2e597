"""What a push writes: the columns of a table of another system, from the records of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.models import FieldDef, PushColumn, PushDef
from tenon.kernel import clock
from tenon.kernel.errors import Config, NeedsUser, NotFound
from tenon.kernel.text import Text
from tenon.master.tables import crosswalk
from tenon.records.query import Reader

_NO_FIELD = Text(
    "写出定义“{push}”引用了不存在的字段“{path}”。",
    "The push “{push}” names the field “{path}”, which does not exist.",
)
_GONE = Text("没有这条记录：{id}。", "There is no such record: {id}.")
_NO_CODE = Text(
    "“{name}”在系统“{source}”中还没有编码，无法写入；请先在该系统建立它，或在主数据中关联。",
    "“{name}” has no code in the system “{source}” yet, so it cannot be written there. Make it "
    "there first, or link it among the golden records.",
)
_NO_CHOICE = Text(
    "“{path}”为“{value}”时不能由“{push}”写出；可写：{allowed}。",
    "“{push}” writes nothing while “{path}” is “{value}”; it can write {allowed}.",
)
_NO_KEY = Text(
    "写出“{push}”的主键列“{column}”没有值。", "The key column “{column}” of “{push}” has no value."
)


@dataclass
class PushedValues:
    """Computes the columns of pushes; records that several rows refer to are read once."""

    connection: Connection
    reader: Reader
    source: str
    zone: ZoneInfo
    _rows: dict[tuple[str, str], Any] = field(default_factory=dict)
    _codes: dict[tuple[str, str], str] = field(default_factory=dict)

    def of(self, push: PushDef, ids: Sequence[str]) -> list[dict[str, Any]]:
        """The columns for each record, in the order of `ids`; NotFound when one is not there."""
        self._load(push.entity, ids)
        for id_ in ids:
            if (push.entity, id_) not in self._rows:
                raise NotFound("record_gone", _GONE, id=id_)
        columns = {name: self._column(push, one, ids) for name, one in push.columns.items()}
        rows = [{name: values[at] for name, values in columns.items()} for at in range(len(ids))]
        for name in push.key:
            if any(row[name] in {None, ""} for row in rows):
                raise Config("no_push_key", _NO_KEY, push=push.code, column=name)
        return rows

    def _column(self, push: PushDef, one: PushColumn, ids: Sequence[str]) -> list[Any]:
        if one.now:
            return [self._written(clock.now())] * len(ids)
        if one.from_ is None:
            return [one.const] * len(ids)
        *steps, last = one.from_.split(".")
        entity, found = push.entity, [str(id_) for id_ in ids]
        for step in steps:
            entity, found = self._follow(push, entity, step, found)
        definition = self._field(push, entity, last)
        values = [self._value(entity, id_, last) for id_ in found]
        if one.code:
            return self._coded(definition, values)
        if one.choices:
            return [self._chosen(push, one, v) for v in values]
        return [self._written(v) for v in values]

    def _follow(
        self, push: PushDef, entity: str, step: str, ids: Sequence[str]
    ) -> tuple[str, list[str]]:
        target = self._field(push, entity, step).target
        if target is None:
            raise Config("no_push_field", _NO_FIELD, push=push.code, path=step)
        found = [str(self._value(entity, id_, step) or "") for id_ in ids]
        self._load(target, [id_ for id_ in found if id_])
        return target, found

    def _field(self, push: PushDef, entity: str, code: str) -> FieldDef:
        known = self.reader.catalogue.entity(entity).by_code.get(code)
        if known is None:
            raise Config("no_push_field", _NO_FIELD, push=push.code, path=f"{entity}.{code}")
        return known

    def _value(self, entity: str, id_: str, code: str) -> Any:
        row = self._rows.get((entity, id_))
        return None if row is None else row[code]

    def _load(self, entity: str, ids: Sequence[str]) -> None:
        missing = sorted({id_ for id_ in ids if (entity, id_) not in self._rows})
        if not missing:
            return
        table = self.reader.table(entity)
        found = self.connection.execute(sa.select(table).where(table.c.id.in_(missing)))
        for row in found.mappings():
            self._rows[entity, row["id"]] = row

    def _coded(self, field_: FieldDef, ids: Sequence[str | None]) -> list[str | None]:
        """The codes that the source has for golden records."""
        entity = field_.target or ""
        wanted = {id_ for id_ in ids if id_ and (entity, id_) not in self._codes}
        c = crosswalk.c
        rows = self.connection.execute(
            sa.select(c.record_id, c.code)
            .where(
                c.entity == entity, c.source == self.source, c.record_id.in_(wanted),
                c.valid_to.is_(None),
            )
            # Of several codes the one that the source's base data gave first.
            .order_by(c.stream.is_(None), c.valid_from, c.code)
        )  # fmt: skip
        for id_, code in rows:
            self._codes.setdefault((entity, id_), code)
        for id_ in ids:
            if id_ and (entity, id_) not in self._codes:
                self._load(entity, [id_])
                title = self.reader.catalogue.entity(entity).title or "id"
                name = str(self._value(entity, id_, title) or id_)
                raise NeedsUser("no_code_there", _NO_CODE, name=name, source=self.source)
        return [self._codes[entity, id_] if id_ else None for id_ in ids]

    def _chosen(self, push: PushDef, one: PushColumn, value: Any) -> str | None:
        """The source's word for a choice; what it has no word for is not written."""
        if value is None:
            return None
        if str(value) not in one.choices:
            allowed = ", ".join(one.choices)
            raise NeedsUser(
                "no_choice_there", _NO_CHOICE, push=push.code, path=one.from_, value=value,
                allowed=allowed,
            )  # fmt: skip
        return one.choices[str(value)]

    def _written(self, value: Any) -> Any:
        """A value in the source's own zone, to the second, as such systems keep it."""
        if isinstance(value, datetime):
            return value.astimezone(self.zone).replace(tzinfo=None, microsecond=0)
        return int(value) if isinstance(value, bool) else value


def kept(value: Any) -> str | None:
    """A value as the ledger keeps it."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
