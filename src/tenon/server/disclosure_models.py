"""The API models of what is read of a source."""

from __future__ import annotations

from datetime import datetime

from tenon.server.shapes import Model, Text


class WriteAllowed(Model):
    """A table of the source that an administrator lets Tenon write into."""

    table: str
    actions: list[str]


class TableRead(Model):
    """How a table is read, and what the last reading cost."""

    sync: str
    label: Text
    table: str
    statement: str | None
    problem: Text | None
    every_seconds: int | None
    rows: int
    read: int
    seconds: float | None
    last_at: datetime | None


class SourceAccess(Model):
    """What is read of a source, for those who look after it."""

    address: str
    login: str | None
    ledger: bool
    writes: list[WriteAllowed]
    tables: list[TableRead]
