"""Golden records as people see them: lists, and the codes of one in every system."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.define.catalogue import Catalogue
from tenon.define.models import Entity
from tenon.kernel import clock
from tenon.kernel.errors import NotFound
from tenon.kernel.text import Text, normal_code
from tenon.master.tables import crosswalk, match_key
from tenon.records.query import Reader
from tenon.records.tables import SYSTEM_FIELDS

_NO_MASTER = Text("“{entity}”不是主数据。", "“{entity}” is no golden entity.")


def masters(
    connection: Connection,
    reader: Reader,
    entity: str,
    *,
    query: str | None = None,
    page: int = 1,
    page_size: int = 50,
) -> dict[str, Any]:
    """A page of golden records; `query` is part of a name or of a code in any system."""
    definition = _entity(reader.catalogue, entity)
    table = reader.table(entity)
    where: list[sa.ColumnElement[bool]] = [table.c.archived_at.is_(None)]
    if query and query.strip():
        where.append(_matches(definition, table, query.strip()))
    total = connection.scalar(sa.select(sa.func.count()).select_from(table).where(*where)) or 0
    rows = list(
        connection.execute(
            sa.select(table)
            .where(*where)
            .order_by(table.c[definition.title or "id"], table.c.id)
            .limit(page_size)
            .offset((page - 1) * page_size)
        ).mappings()
    )
    systems = _systems(connection, entity, [r["id"] for r in rows])
    return {
        "rows": [_row(definition, r, systems.get(r["id"], [])) for r in rows],
        "total": total, "page": page, "page_size": page_size,
    }  # fmt: skip


def master_page(connection: Connection, reader: Reader, entity: str, id_: str) -> dict[str, Any]:
    """A golden record with its codes in every system."""
    definition = _entity(reader.catalogue, entity)
    record = reader.get(connection, entity, id_)
    hidden = reader.hidden(entity)
    rows = connection.execute(
        sa.select(crosswalk)
        .where(
            crosswalk.c.entity == entity,
            crosswalk.c.record_id == record["id"],
            crosswalk.c.valid_to.is_(None),
        )
        .order_by(crosswalk.c.source, crosswalk.c.code)
    ).all()
    systems = list(dict.fromkeys(r.source for r in rows))
    return {
        "record": _row(definition, record, systems),
        "fields": [
            {"label": f.label.text(), "value": _shown(record[f.code]), "sources": []}
            for f in definition.fields
            if f.code not in hidden and f.code not in SYSTEM_FIELDS and f.type != "ref"
        ],
        "codes": [_code(reader.catalogue, definition.code, r) for r in rows],
    }


def _entity(catalogue: Catalogue, entity: str) -> Entity:
    try:
        catalogue.master(entity)
        return catalogue.entity(entity)
    except NotFound:
        raise NotFound("no_master", _NO_MASTER, entity=entity[:60]) from None


def _matches(entity: Entity, table: sa.Table, query: str) -> sa.ColumnElement[bool]:
    texts = [table.c[f.code] for f in entity.fields if f.type == "text"]
    codes = sa.select(crosswalk.c.record_id).where(
        crosswalk.c.entity == entity.code,
        crosswalk.c.valid_to.is_(None),
        sa.or_(
            crosswalk.c.code.icontains(query, autoescape=True),
            crosswalk.c.name.icontains(query, autoescape=True),
        ),
    )
    keys = sa.select(match_key.c.record_id).where(
        match_key.c.entity == entity.code, match_key.c.value == normal_code(query)
    )
    return sa.or_(
        *(column.icontains(query, autoescape=True) for column in texts),
        table.c.id.in_(codes),
        table.c.id.in_(keys),
    )


def _systems(connection: Connection, entity: str, ids: Iterable[str]) -> dict[str, list[str]]:
    rows = connection.execute(
        sa.select(crosswalk.c.record_id, crosswalk.c.source)
        .where(
            crosswalk.c.entity == entity,
            crosswalk.c.record_id.in_([*ids]),
            crosswalk.c.valid_to.is_(None),
        )
        .distinct()
        .order_by(crosswalk.c.source)
    )
    found: dict[str, list[str]] = {}
    for record, source in rows:
        found.setdefault(record, []).append(source)
    return found


def _row(entity: Entity, record: Any, systems: list[str]) -> dict[str, Any]:
    name = str(record[entity.title]) if entity.title else record["id"]
    code = str(record["code"]) if record.get("code") else name
    details = [
        str(record[f.code])
        for f in entity.fields
        if f.type == "text" and f.code not in {"code", entity.title} and record.get(f.code)
    ]
    return {
        "id": record["id"], "entity": entity.code, "code": code, "name": name,
        "detail": " · ".join(details[:2]) or None, "systems": systems,
    }  # fmt: skip


def _code(catalogue: Catalogue, entity: str, row: Any) -> dict[str, Any]:
    try:
        label = catalogue.source(row.source).label.text()
    except NotFound:
        label = Text(row.source, row.source)
    keys = {k.code: k.label.zh for k in catalogue.master(entity).keys}
    sources = []
    if row.stream and row.key:
        sources.append(
            {"source": row.source, "label": label, "stream": row.stream, "key": row.key,
             "seen_at": row.valid_from}
        )  # fmt: skip
    return {
        "source": row.source, "source_label": label, "code": row.code, "name": row.name,
        "how": row.how, "matched_on": keys.get(row.matched_on, row.matched_on),
        "confirmed_by": row.confirmed_by, "valid_from": row.valid_from or clock.now(),
        "sources": sources,
    }  # fmt: skip


def _shown(value: Any) -> str | None:
    return None if value is None else f"{value}"
