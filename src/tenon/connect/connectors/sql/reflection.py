"""What a database says of its tables, through SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.engine.reflection import Inspector, ObjectKind
from sqlalchemy.exc import DBAPIError

from tenon.connect.contract import Column, Found


def tables_of(inspector: Inspector) -> dict[str, str]:
    """Tables and views by their name without case."""
    names = inspector.get_table_names() + inspector.get_view_names()
    return {name.casefold(): name for name in names}


def found_of(inspector: Inspector, name: str) -> Found:
    """A table as discovery shows it."""
    return _found(name, inspector.get_columns(name), inspector.get_pk_constraint(name))


def all_found(inspector: Inspector, rows: Mapping[str, int]) -> list[Found]:
    """Every table and view with its comments, asked for at once: an ERP has thousands."""
    kinds = ObjectKind.TABLE | ObjectKind.VIEW
    columns = inspector.get_multi_columns(kind=kinds)
    keys = inspector.get_multi_pk_constraint(kind=ObjectKind.TABLE)
    comments = _comments(inspector)
    return [
        replace(
            _found(place[1], columns[place], keys.get(place) or {}),
            comment=comments.get(place[1]),
            rows=rows.get(place[1]),
        )
        for place in sorted(columns, key=lambda place: place[1])
    ]


def _comments(inspector: Inspector) -> dict[str, str]:
    """What is written beside tables, where the database keeps such."""
    try:
        said = inspector.get_multi_table_comment(kind=ObjectKind.TABLE)
    except (NotImplementedError, DBAPIError):
        return {}
    return {place[1]: text for place, one in said.items() if (text := (one or {}).get("text"))}


def _found(name: str, columns: Iterable[Mapping[str, Any]], key: Mapping[str, Any]) -> Found:
    told = (
        Column(c["name"], str(c["type"]), bool(c.get("nullable", True)), c.get("comment") or None)
        for c in columns
    )
    return Found(name, tuple(told), tuple(key.get("constrained_columns") or ()))
