"""The conformance suite of connectors: what every connector must do, whatever it connects to.

A connector's tests make a `Subject` on a real system that holds `ROWS`, and call each check.
The rows are hostile on purpose: names with spaces, padded CHAR, Chinese text, bytes that are
not text, dates that do not exist.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from tenon.connect.batches import rows_of
from tenon.connect.contract import Connector, CursorValue
from tenon.define.models import StreamDef
from tenon.kernel.errors import Stop, TenonError

# (key, a name with a space, quantity, changed): what a subject's stream must hold, in this order.
ROWS: Final = tuple(
    (f"K{n:03}", f"零件 {n}", Decimal(n) / 4, datetime(2026, 1, 1, 8, n // 60, n % 60))  # noqa: DTZ001
    for n in range(1, 101)
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A connector to test.

    Its stream holds `ROWS`, in the columns `code`, `part name`, `qty` and `changed`.
    """

    open: Callable[[], Connector]
    stream: StreamDef
    absent: StreamDef


def checks_and_names_itself(subject: Subject) -> None:
    """It reaches its system, says where that is, and says what it can do."""
    connector = subject.open()
    try:
        connector.check()
        assert connector.address
        assert connector.capabilities.page_rows > 0
        assert "watermark" in connector.capabilities.detects
    finally:
        connector.close()


def reads_everything_once_in_order(subject: Subject) -> None:
    """Every row comes once, typed, ordered by (cursor, key), in batches of bounded size."""
    rows, sizes = _read(subject, subject.stream, None)
    assert [_code(r) for r in rows] == [r[0] for r in ROWS]
    assert [r["part name"] for r in rows] == [r[1] for r in ROWS]
    assert [Decimal(str(r["qty"])) for r in rows] == [r[2] for r in ROWS]
    assert [_moment(r["changed"]) for r in rows] == [r[3] for r in ROWS]
    assert max(sizes) < len(ROWS), "the rows must come in several batches"


def goes_on_from_a_cursor(subject: Subject) -> None:
    """From a cursor value of its own it reads the rows at and after it, and no others."""
    assert subject.stream.cursor is not None
    column = subject.stream.cursor.column
    rows, _ = _read(subject, subject.stream, None)
    since: CursorValue = rows[60][column]
    again, _ = _read(subject, subject.stream, since)
    assert [_code(r) for r in again] == [_code(r) for r in rows if r[column] >= since]
    assert 0 < len(again) < len(rows)


def tells_what_is_absent(subject: Subject) -> None:
    """A stream that is not there is Stop, with both languages and without a secret."""
    error = _error(subject, subject.absent)
    assert isinstance(error, Stop)
    assert error.code == "stream_absent"
    assert error.text.zh
    assert error.text.en


def names_an_absent_column(subject: Subject) -> None:
    """A declared column that is not there is Stop, and named."""
    drifted = subject.stream.model_copy(
        update={"columns": (*subject.stream.columns, "no_such_column")}
    )
    error = _error(subject, drifted)
    assert isinstance(error, Stop)
    assert error.code == "column_absent"
    assert "no_such_column" in error.text.zh


CHECKS: Final = (
    checks_and_names_itself,
    reads_everything_once_in_order,
    goes_on_from_a_cursor,
    tells_what_is_absent,
    names_an_absent_column,
)


def _read(
    subject: Subject, stream: StreamDef, since: CursorValue | None
) -> tuple[list[dict[str, Any]], list[int]]:
    connector = subject.open()
    rows: list[dict[str, Any]] = []
    sizes: list[int] = []
    try:
        for batch in connector.read(stream, since):
            names, values = rows_of(batch)
            sizes.append(len(values))
            rows += [dict(zip(names, row, strict=True)) for row in values]
    finally:
        connector.close()
    return rows, sizes


def _error(subject: Subject, stream: StreamDef) -> TenonError | None:
    try:
        _read(subject, stream, None)
    except TenonError as error:
        return error
    return None


def _moment(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=None)


def _code(row: dict[str, Any]) -> str:
    # A CHAR column comes padded from some systems; the mapping tidies it.
    return str(row["code"]).rstrip()
