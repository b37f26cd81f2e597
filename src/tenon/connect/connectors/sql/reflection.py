"""What a database says of its tables, through SQLAlchemy."""

from __future__ import annotations

from sqlalchemy.engine.reflection import Inspector

from tenon.connect.contract import Column, Found


def tables_of(inspector: Inspector) -> dict[str, str]:
    """Tables and views by their name without case."""
    names = inspector.get_table_names() + inspector.get_view_names()
    return {name.casefold(): name for name in names}


def found_of(inspector: Inspector, name: str) -> Found:
    """A table as discovery shows it."""
    columns = tuple(
        Column(c["name"], str(c["type"]), bool(c.get("nullable", True)))
        for c in inspector.get_columns(name)
    )
    key = inspector.get_pk_constraint(name).get("constrained_columns") or ()
    return Found(name, columns, tuple(key))
