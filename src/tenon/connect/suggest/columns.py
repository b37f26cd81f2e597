"""What the values of a column are like: kinds, how many differ, what they could be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from tenon.connect.batches import BYTES, LINE, PROBLEM
from tenon.connect.browse import Sample
from tenon.connect.contract import Column, Found
from tenon.connect.values import text_of
from tenon.kernel.text import tidy

_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9,]*(\.[0-9]+)?")
_TIME: Final = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
                          r"(Z|[+-]\d{2}:?\d{2})?")  # fmt: skip
_TAX: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}|[0-9]{15}")
_YES_NO: Final = frozenset({"0", "1", "-1", "Y", "N", "YES", "NO", "T", "F", "TRUE", "FALSE",
                            "是", "否"})  # fmt: skip
_FEW: Final = 24
_TIME_TYPES: Final = ("DATE", "TIME")
_NUMBER_TYPES: Final = ("INT", "DEC", "NUM", "FLOAT", "DOUBLE", "REAL", "MONEY", "BIT")


@dataclass(frozen=True, slots=True)
class Facts:
    """A column: its name and comment, and what its values are like."""

    name: str
    comment: str | None
    kind: str  # number, whole, time, text, bytes, empty
    texts: tuple[str, ...] = ()  # the different values, up to a few hundred
    filled: float = 0.0  # of the rows
    unique: bool = False

    @property
    def few(self) -> bool:
        """Whether there are so few different values that each could be translated."""
        return 0 < len(self.texts) <= _FEW

    @property
    def yes_no(self) -> bool:
        """Whether every value says yes or no."""
        return bool(self.texts) and {t.upper() for t in self.texts} <= _YES_NO

    @property
    def signs(self) -> bool:
        """Whether the values are 1 and -1."""
        return bool(self.texts) and set(self.texts) <= {"1", "-1"}

    @property
    def tax_ids(self) -> float:
        """How many of the values look like tax ids."""
        return _share(self.texts, lambda t: bool(_TAX.fullmatch(t.upper())))


def facts_of(found: Found, sample: Sample) -> list[Facts]:
    """The columns of a table, in their order, by what its first rows hold."""
    told = {c.name.casefold(): c for c in found.columns}
    hidden = {PROBLEM, LINE}
    names = [n for n in sample.names if n not in hidden and not n.endswith(BYTES)]
    if not names:
        return [_empty(c) for c in found.columns]
    at = {n: i for i, n in enumerate(sample.names)}
    return [_of(n, told.get(n.casefold()), [row[at[n]] for row in sample.rows]) for n in names]


def _empty(column: Column) -> Facts:
    return Facts(column.name, column.comment, _declared(column.type) or "empty")


def _of(name: str, column: Column | None, values: Sequence[Any]) -> Facts:
    there = [v for v in values if v is not None and v != ""]
    texts = [tidy(text_of(v) or "") for v in there if not isinstance(v, bytes)]
    different = tuple(dict.fromkeys(t for t in texts if t))
    kind = _kind(there, different) or (_declared(column.type) if column else None) or "empty"
    return Facts(
        name, column.comment if column else None, kind, different[:400],
        len(there) / len(values) if values else 0.0,
        bool(different) and len(different) == len(texts) == len(values),
    )  # fmt: skip


def _kind(values: Sequence[Any], texts: Sequence[str]) -> str | None:
    if not values:
        return None
    kinds = {type(v) for v in values}
    if bytes in kinds and not texts:
        return "bytes"
    if kinds <= {datetime, date}:
        return "time"
    if kinds <= {int, bool}:
        return "whole"
    if kinds <= {int, Decimal, float, bool}:
        return "number"
    if _share(texts, lambda t: bool(_TIME.fullmatch(t))) > 0.95:
        return "time"
    if _share(texts, lambda t: bool(_NUMBER.fullmatch(t))) > 0.95:
        leading = any(len(t) > 1 and t[0] == "0" and t[1] != "." for t in texts)
        return "text" if leading else "digits"
    return "text"


def _declared(kind: str) -> str | None:
    upper = kind.upper()
    if any(t in upper for t in _TIME_TYPES) and "STAMP" not in upper.replace("TIMESTAMP", ""):
        return "time"
    if any(t in upper for t in _NUMBER_TYPES):
        return "number"
    return "text" if upper else None


def _share(texts: Sequence[str], of: Any) -> float:
    return sum(map(of, texts)) / len(texts) if texts else 0.0
