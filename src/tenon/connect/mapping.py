"""A sync's rules compiled for a layout of columns: source rows in, field values out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tenon.connect.batches import LINE, PROBLEM
from tenon.connect.contract import StreamStopped
from tenon.connect.values import CLEAN, clean_text, parser, refuse_bytes, text_of
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef, MapRule, Sync
from tenon.kernel.decimals import to_decimal
from tenon.kernel.errors import Config, SetAside
from tenon.kernel.text import Text, tidy
from tenon.records.check import check_value

_NO_COLUMN = Text(
    "同步“{sync}”引用的列“{column}”不在来源返回的数据中；现有的列：{found}。请修改定义。",
    "The sync “{sync}” names the column “{column}”, which the source does not return; it returns "
    "{found}. Change the definition.",
)
_NOT_FILLED = Text(
    "同步“{sync}”没有填写必填字段 {fields}；请在定义中补充。",
    "The sync “{sync}” does not fill the required fields {fields}; add them to its definition.",
)
_NO_CODE = Text(
    "这一行没有编码（列“{column}”为空），无法识别它是哪一个。",
    "The row has no code (column “{column}” is empty), so it cannot be recognised.",
)

_SAID = Text("{zh}", "{en}")

Row = tuple[Any, ...]
Read = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Lookup:
    """A field whose value is found by a code, a match key or another record's field."""

    field: FieldDef
    rule: MapRule
    read: Read

    @property
    def place(self) -> tuple[str, str, str]:
        """What is looked up where: rules with the same place share their answers."""
        if self.rule.master:
            return ("code", self.rule.master, self.rule.by or "")
        return ("ref", self.rule.ref or "", self.rule.by or "")


@dataclass(frozen=True, slots=True)
class PlainRule:
    """A field that needs no look-up; `read` gives its checked value."""

    field: FieldDef
    rule: MapRule
    read: Read

    @property
    def columns(self) -> tuple[str, ...]:
        """The source's columns that the value is made of."""
        own = self.rule.from_ if isinstance(self.rule.from_, tuple) else (self.rule.from_,)
        return tuple(name for name in (*own, self.rule.times) if name is not None)


@dataclass(slots=True)
class Facts:
    """What a row says of the identity of a thing."""

    code: str
    name: str
    keys: dict[str, str]
    may_found: bool


class Mapper:
    """A sync's rules for one layout of columns."""

    def __init__(
        self, catalogue: Catalogue, sync: Sync, names: tuple[str, ...], zone: ZoneInfo
    ) -> None:
        self.names = names
        self._sync = sync
        self.zone = zone
        self._at = {name.casefold(): i for i, name in enumerate(names)}
        self._entity: Entity = catalogue.entity(sync.target)
        self._refuse_unfilled()
        fields = self._entity.by_code
        self.lookups = tuple(
            Lookup(fields[code], rule, self._text(rule))
            for code, rule in sync.fields.items()
            if rule.master or rule.ref
        )
        self.plain = tuple(
            PlainRule(fields[code], rule, self._field(fields[code], rule))
            for code, rule in sync.fields.items()
            if not (rule.master or rule.ref)
        )
        self.key_at = tuple(self._index(name) for name in sync.stream.key)
        cursor = sync.stream.cursor
        self._cursor = self._index(cursor.column) if cursor else None
        self.cursor_name = None if self._cursor is None else names[self._cursor]
        version = cursor.version if cursor else None
        self._version = self._index(version) if version else None
        self._facts = self._identity()
        self._tells = names[-2:] == (PROBLEM, LINE)

    def key(self, row: Row) -> str | None:
        """The row's key; None when a part of it is empty."""
        if len(self.key_at) == 1:
            return _key_part(row[self.key_at[0]])
        parts = [_key_part(row[i]) for i in self.key_at]
        return None if None in parts else "|".join(p for p in parts if p)

    def content(self, row: Row) -> tuple[tuple[str, ...], Row]:
        """What the source holds: names and values, without what the connector says of the row."""
        if not self._tells:
            return self.names, row
        names, own, line = self.names[:-2], row[:-2], row[-1]
        return (names, own) if line is None else ((*names, LINE), (*own, line))

    def at(self, name: str) -> int | None:
        """Where a column stands in a row; None where the source has none of that name."""
        return self._at.get(name.casefold())

    def problem(self, row: Row) -> SetAside | None:
        """What the connector found wrong with the row."""
        if not self._tells or row[-2] is None:
            return None
        said = json.loads(row[-2])
        return SetAside(str(said["code"]), _SAID, zh=said["zh"], en=said["en"])

    def cursor(self, row: Row) -> Any:
        """The row's cursor value."""
        return None if self._cursor is None else row[self._cursor]

    def version(self, row: Row) -> Any:
        """The row's revision, where the stream counts them."""
        return None if self._version is None else row[self._version]

    def values(self, row: Row) -> dict[str, Any]:
        """The fields that need no look-up, checked; SetAside names the first one refused."""
        return {rule.field.code: rule.read(row) for rule in self.plain}

    def facts(self, row: Row) -> Facts | None:
        """The row's identity, for a sync that feeds a golden entity."""
        return self._facts(row) if self._facts else None

    def founded(self, facts: Facts) -> dict[str, Any]:
        """The fields a person's new record gets from what a row says of its identity."""
        given = dict(facts.keys) | {"code": facts.code}
        if self._entity.title:
            given[self._entity.title] = facts.name
        fields = (f for f in self._entity.fields if f.code not in self._sync.fields)
        return {f.code: check_value(f, given.get(f.code)) for f in fields if f.type == "text"}

    def seen(self, row: Row) -> list[tuple[str, str | None]]:
        """What the source says, for the person who must decide."""
        return [
            (name, None if isinstance(value, bytes) else text_of(value))
            for name, value in zip(self.names, row, strict=True)
        ]

    def _refuse_unfilled(self) -> None:
        writes = self._sync.identity is None or self._sync.identity.founds
        empty = [
            f.code for f in self._entity.fields if f.required and f.code not in self._sync.fields
        ]
        if writes and empty:
            raise Config("not_filled", _NOT_FILLED, sync=self._sync.code, fields=", ".join(empty))

    def _index(self, name: str) -> int:
        at = self._at.get(name.casefold())
        if at is None:
            found = ", ".join(self.names)
            raise StreamStopped(
                "column_not_read", _NO_COLUMN, sync=self._sync.code, column=name, found=found
            )
        return at

    def _field(self, field: FieldDef, rule: MapRule) -> Read:
        if rule.from_ is None:
            constant = rule.const if rule.const is not None else rule.default
            value = check_value(field, constant)
            return lambda _row: value
        raw = self._text(rule) if isinstance(rule.from_, tuple) else self._column(rule.from_)
        parse = parser(field.type, rule, self.zone)
        if rule.times is not None:
            parse = _product(parse)
        other = self._column(rule.times) if rule.times is not None else None
        default = rule.default

        def read(row: Row) -> Any:
            value = parse(raw(row)) if other is None else parse((raw(row), other(row)))
            return check_value(field, default if value is None else value)

        return read

    def _column(self, name: str) -> Read:
        if name.casefold() not in self._at and name in self._sync.stream.may_lack:
            return lambda _row: None
        at = self._index(name)

        def read(row: Row) -> Any:
            value = row[at]
            if type(value) is bytes:
                raise refuse_bytes(name, value)
            return value

        return read

    def _text(self, rule: MapRule) -> Read:
        """The rule's cleaned text; of several columns joined by `|`."""
        if rule.from_ is None:
            return lambda _row: clean_text(rule.const, rule)
        default = rule.default
        if isinstance(rule.from_, str):
            column = self._column(rule.from_)
            return lambda row: clean_text(column(row), rule) or default
        columns = [self._column(name) for name in rule.from_]

        def read(row: Row) -> str | None:
            parts = [clean_text(column(row), rule) for column in columns]
            return default if None in parts else "|".join(p for p in parts if p)

        return read

    def _identity(self) -> Callable[[Row], Facts] | None:
        identity = self._sync.identity
        if identity is None:
            return None
        code, name = self._column(identity.code), self._column(identity.name)
        keys = {key: self._column(column) for key, column in identity.keys.items()}
        only = [
            (self._column(column), {str(v) for v in allowed})
            for column, allowed in identity.found_only_if.items()
        ]

        def read(row: Row) -> Facts:
            own = _tidy(code(row))
            if own is None:
                raise SetAside("no_code", _NO_CODE, column=identity.code)
            found = {key: text for key, column in keys.items() if (text := _tidy(column(row)))}
            may = identity.founds and all(_tidy(c(row)) in allowed for c, allowed in only)
            return Facts(own, _tidy(name(row)) or own, found, may)

        return read


def cleaned(keys: Mapping[str, str], cleans: Mapping[str, str]) -> dict[str, str]:
    """Match keys in the form they are compared in; those with nothing left are dropped."""
    found = {key: CLEAN[cleans[key]](value) for key, value in keys.items() if key in cleans}
    return {key: value for key, value in found.items() if value}


def _key_part(value: Any) -> str | None:
    if type(value) is bytes:
        return value.hex()
    text = text_of(value)
    return tidy(text) or None if text is not None else None


def _tidy(value: Any) -> str | None:
    text = text_of(value)
    return tidy(text) or None if text is not None else None


def _product(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(pair: Any) -> Decimal | None:
        one, other = (parse(value) for value in pair)
        if one is None or other is None:
            return None
        return to_decimal(one) * to_decimal(other)

    return read
