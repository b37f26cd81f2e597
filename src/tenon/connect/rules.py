"""How a field got its value, told as its rule goes: columns → cleaning → look-up → value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.sight import Sight, columns_of
from tenon.connect.values import clean_text
from tenon.define.models import Entity, FieldDef, MapRule
from tenon.kernel.decimals import plain
from tenon.kernel.errors import NotAllowed, NotFound
from tenon.kernel.text import Text
from tenon.master.tables import crosswalk
from tenon.records.query import Reader

Raw = Mapping[str, tuple[str, str | None]]  # by the column's name without case


def raw_of(kept: str) -> Raw:
    """The columns of a row as kept."""
    values: dict[str, str | None] = json.loads(kept)
    return {name.casefold(): (name, value) for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains the fields of one record from the row that wrote it."""

    connection: Connection
    reader: Reader
    sight: Sight
    source: str
    raw: Raw

    def rule(self, rule: MapRule) -> dict[str, Any]:
        """A field's rule with what went through it; nothing that the caller may not see."""
        names = columns_of(rule)
        seen = all(self.sight.sees(name) for name in names)
        columns = [self._column(name) for name in names]
        cleaned = self._cleaned(rule) if seen else None
        constant = rule.const if not names else None
        if not names and constant is None:
            constant = rule.default
        return {
            "columns": columns,
            "clean": rule.clean if names else None,
            "cleaned": cleaned,
            "choices": bool(rule.choices),
            "times": rule.times,
            "constant": shown(constant),
            "default": shown(rule.default) if names and seen and not self._given(rule) else None,
            "lookup": self._lookup(rule, cleaned),
        }

    def _column(self, name: str) -> dict[str, Any]:
        found, value = self.raw.get(name.casefold(), (name, None))
        sees = self.sight.sees(name)
        return {"name": found, "value": value if sees else None, "masked": not sees}

    def _value(self, name: str) -> str | None:
        return self.raw.get(name.casefold(), (name, None))[1]

    def _given(self, rule: MapRule) -> bool:
        return all(clean_text(self._value(name), rule) for name in columns_of(rule))

    def _cleaned(self, rule: MapRule) -> str | None:
        if rule.from_ is None:
            return None
        names = (rule.from_,) if isinstance(rule.from_, str) else rule.from_
        parts = [clean_text(self._value(name), rule) for name in names]
        if any(part is None for part in parts):
            return None
        text = "|".join(part for part in parts if part)
        if not rule.choices:
            return text
        return shown(rule.choices.get(text, text if rule.otherwise is None else rule.otherwise))

    def _lookup(self, rule: MapRule, cleaned: str | None) -> dict[str, Any] | None:
        target = rule.master or rule.ref
        if target is None:
            return None
        found: dict[str, Any] = {
            "kind": "code" if rule.master else "ref", "entity": target,
            "entity_label": label_of(self.reader, target), "by": rule.by,
            "how": None, "confirmed_by": None, "since": None,
        }  # fmt: skip
        if rule.master and cleaned:
            c = crosswalk.c
            row = self.connection.execute(
                sa.select(c.how, c.confirmed_by, c.valid_from).where(
                    c.entity == target, c.source == self.source, c.code == cleaned[:200],
                    c.valid_to.is_(None),
                )
            ).first()  # fmt: skip
            if row is not None:
                since = row.valid_from
                found |= {"how": row.how, "confirmed_by": row.confirmed_by, "since": since}
        return found


def value_of(connection: Connection, reader: Reader, field: FieldDef, value: Any) -> dict[str, Any]:
    """A field's value for people; of a reference the title and where it leads."""
    label = next((c.label.text() for c in field.choices if c.code == value), None)
    found: dict[str, Any] = {"value": shown(value), "value_label": label, "refers_to": None}
    if field.target and value:
        title = title_of(connection, reader, field.target, value)
        found |= {"value": title, "refers_to": {"entity": field.target, "id": value}}
    return found


def title_of(connection: Connection, reader: Reader, entity: str, id_: str) -> str | None:
    """What a record is called; None where the caller may not see it."""
    definition: Entity = reader.catalogue.entity(entity)
    try:
        if definition.title is None or definition.title in reader.hidden(entity):
            return None
    except NotAllowed:
        return None
    table = reader.table(entity)
    return shown(connection.scalar(sa.select(table.c[definition.title]).where(table.c.id == id_)))


def label_of(reader: Reader, entity: str) -> Text:
    """The label of an entity; its code when it is defined no more."""
    try:
        return reader.catalogue.entity(entity).label.text()
    except NotFound:
        return Text(entity, entity)


def told(field: FieldDef, value: Any) -> str | None:
    """A value as an event keeps it, as text."""
    if field.type == "decimal" and isinstance(value, str):
        return plain(Decimal(value))
    return shown(value)


def shown(value: Any) -> str | None:
    """A value as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)
