"""What the hub knows of a column's values: codes, match keys, numbers of documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.mapping import cleaned
from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity, FieldDef, Master
from tenon.kernel.errors import SetAside
from tenon.kernel.text import normal_document_no
from tenon.master import lookup
from tenon.records.check import check_value
from tenon.records.tables import entity_tables

_ASKED = 200


@dataclass(slots=True)
class Known:
    """Answers how many of some values are known here; what was asked once is remembered."""

    connection: Connection
    catalogue: Catalogue
    source: str
    _seen: dict[tuple[str, ...], float] = field(default_factory=dict)

    def codes(self, entity: str, texts: Sequence[str]) -> float:
        """The share of values that are this source's codes of golden records."""
        place = ("codes", entity, *texts[:_ASKED])
        if texts and place not in self._seen:
            asked = {t[:200] for t in texts[:_ASKED]}
            found = lookup.codes(self.connection, entity, self.source, asked)
            self._seen[place] = len(found) / len(asked)
        return self._seen.get(place, 0.0)

    def keys(self, master: Master, key: str, texts: Sequence[str]) -> float:
        """The share of values that some golden record has as this match key."""
        cleans = {k.code: k.clean for k in master.keys}
        forms = {c for t in texts[:_ASKED] if (c := cleaned({key: t}, cleans).get(key))}
        if not forms:
            return 0.0
        found = lookup.candidates(self.connection, master.entity, {key: forms})
        return len(found) / len(forms)

    def documents(self, entity: Entity, by: FieldDef, texts: Sequence[str]) -> float:
        """The share of values that are numbers of documents which are here."""
        place = (entity.code, by.code, *texts[:_ASKED])
        if place not in self._seen:
            self._seen[place] = self._documents(entity, by, texts[:_ASKED])
        return self._seen[place]

    def _documents(self, entity: Entity, by: FieldDef, texts: Sequence[str]) -> float:
        asked = set()
        for text in texts:
            for form in (text, normal_document_no(text)):
                try:
                    asked.add(check_value(by, form))
                except SetAside:
                    continue
        if not asked:
            return 0.0
        table = entity_tables(self.catalogue)[entity.code]
        found = self.connection.scalars(
            sa.select(table.c[by.code]).where(table.c[by.code].in_(asked)).distinct()
        )
        return min(1.0, len(list(found)) / len(texts))
