"""Look-ups of a batch: codes to golden records, document numbers to records, a query for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.mapping import Lookup, Mapper
from tenon.connect.stage import Work
from tenon.connect.values import CLEAN
from tenon.define.catalogue import Catalogue
from tenon.kernel.errors import SetAside
from tenon.kernel.text import Text
from tenon.master import lookup
from tenon.records.check import check_value
from tenon.records.tables import entity_tables
from tenon.tasks.service import NewTask

_UNKNOWN_CODE = Text(
    "“{field}”的编码“{value}”还没有对应的主数据；已生成待办，确认后自动补入。",
    "The code “{value}” of “{field_en}” belongs to no golden record yet. A task asks for it; the "
    "row goes on once it is settled.",
)
_MISSING_REF = Text(
    "“{field}”引用的“{value}”还不存在；它到达后自动补入。",
    "“{field_en}” refers to “{value}”, which is not there yet. The row goes on once it arrives.",
)
_CACHED = 200_000

Place = tuple[str, str, str]


@dataclass(slots=True)
class Resolver:
    """Answers look-ups for one run; what was found once stays found."""

    catalogue: Catalogue
    source: str
    links: list[lookup.Link] = field(default_factory=list)  # matched by key, to be written
    _found: dict[Place, dict[str, str]] = field(default_factory=dict)
    _several: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def resolve(self, connection: Connection, mapper: Mapper, works: Iterable[Work]) -> None:
        """Fill the looked-up fields of rows that are not set aside."""
        every = list(works)
        works = [w for w in every if w.reason is None]
        for one in mapper.lookups:
            wanted: list[tuple[Work, str | None]] = []
            for work in works:
                try:
                    wanted.append((work, one.read(work.row)))
                except SetAside as reason:
                    work.refuse(reason)
            self._ask(connection, one, {value for _, value in wanted if value})
            answers = self._found.get(one.place, {})
            for work, value in wanted:
                self._fill(mapper, work, one, value, answers.get(value) if value else None)

        for work in every:
            if work.reason is not None:
                self._mention(mapper, work)

    def answers(
        self, connection: Connection, one: Lookup, values: set[str]
    ) -> Mapping[str, str | None]:
        """The record of each of these texts that names one."""
        self._ask(connection, one, values)
        return self._found.get(one.place, {})

    def _mention(self, mapper: Mapper, work: Work) -> None:
        """Note which documents a row that is set aside names, so that their pages can tell."""
        for one in mapper.lookups:
            with suppress(SetAside):
                if one.rule.ref and (value := one.read(work.row)):
                    work.names.append(("name", one.rule.ref, one.rule.by or "", value[:400]))

    def _fill(
        self, mapper: Mapper, work: Work, one: Lookup, value: str | None, found: str | None
    ) -> None:
        work.values[one.field.code] = found
        if found is not None:
            return
        if value is None:
            try:
                check_value(one.field, None)
            except SetAside as reason:
                work.refuse(reason)
            return
        must = one.rule.unknown == "wait" or one.field.required
        if one.rule.master:
            self._await_code(mapper, work, one, value)
        else:
            work.waits.append(("ref", one.rule.ref or "", one.rule.by or "", value[:400]))
        if must:
            kind, text = (
                ("unknown_code", _UNKNOWN_CODE)
                if one.rule.master
                else ("missing_ref", _MISSING_REF)
            )
            label = one.field.label
            missing = SetAside(kind, text, field=label.zh, field_en=label.en, value=value)
            work.refuse(missing, poison=False)

    def _await_code(self, mapper: Mapper, work: Work, one: Lookup, value: str) -> None:
        entity = one.rule.master or ""
        work.waits.append(("code", entity, self.source, value[:200]))
        several = self._several.get((entity, value), ())
        if one.rule.by and not several:
            clean = self._clean(entity, one.rule.by, value)
            if clean:
                work.waits.append(("key", entity, one.rule.by, clean[:400]))
        if one.rule.unknown != "quiet" and work.task is None:
            work.task = NewTask(
                entity, self.source, value[:200], "several" if several else "unknown_code",
                seen=mapper.seen(work.row), candidates=several,
            )  # fmt: skip

    def _ask(self, connection: Connection, one: Lookup, values: set[str]) -> None:
        answers = self._found.setdefault(one.place, {})
        if len(answers) > _CACHED:
            answers.clear()
        missing = [v for v in values if v not in answers]
        if not missing:
            return
        if one.rule.ref:
            answers |= self._refs(connection, one.rule.ref, one.rule.by or "", missing)
            return
        entity = one.rule.master or ""
        known = lookup.codes(connection, entity, self.source, missing)
        answers |= {code: k.record_id for code, k in known.items()}
        if one.rule.by:
            left = [v for v in missing if v not in known]
            answers |= self._by_key(connection, entity, one.rule.by, left)

    def _refs(
        self, connection: Connection, entity: str, by: str, values: list[str]
    ) -> dict[str, str]:
        table = entity_tables(self.catalogue)[entity]
        field_ = self.catalogue.entity(entity).by_code[by]
        typed: dict[Any, str] = {}
        for value in values:
            try:
                typed[check_value(field_, value)] = value
            except SetAside:
                continue  # nothing can have a value its field refuses
        rows = connection.execute(
            sa.select(table.c[by], table.c.id).where(
                table.c[by].in_(typed), table.c.archived_at.is_(None)
            )
        )
        return {typed[value]: id_ for value, id_ in rows}

    def _by_key(
        self, connection: Connection, entity: str, key: str, values: list[str]
    ) -> dict[str, str]:
        clean = {v: c for v in values if (c := self._clean(entity, key, v))}
        found = lookup.candidates(connection, entity, {key: set(clean.values())}) if clean else {}
        answers: dict[str, str] = {}
        for value, form in clean.items():
            match = lookup.match([key], {key: value}, {key: form}, found)
            if match is None:
                continue
            if len(match.record_ids) > 1:
                self._several[entity, value] = match.record_ids
                continue
            answers[value] = match.record_ids[0]
            self.links.append(
                lookup.Link(entity, self.source, value[:200], answers[value], value, match.how, key)
            )
        return answers

    def _clean(self, entity: str, key: str, value: str) -> str:
        keys = {k.code: k.clean for k in self.catalogue.master(entity).keys}
        return CLEAN[keys[key]](value)
