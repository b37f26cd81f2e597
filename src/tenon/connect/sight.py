"""What of a source row somebody may see: a field that is hidden hides the columns it is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenon.connect.service import REASONS
from tenon.define.models import Entity, MapRule, Sync
from tenon.kernel.errors import NotAllowed
from tenon.kernel.text import Text
from tenon.records.query import Reader


def columns_of(rule: MapRule) -> tuple[str, ...]:
    """The columns a rule reads."""
    named = (rule.from_,) if isinstance(rule.from_, str) else rule.from_ or ()
    return (*named, rule.times) if rule.times is not None else tuple(named)


@dataclass(slots=True)
class Sight:
    """What one caller sees of a stream's rows.

    Somebody from whom nothing is hidden sees every column. Anybody else sees the columns that
    make fields they see, and no column that also makes a field they do not: a column that no
    rule names may hold anything.
    """

    reader: Reader
    sync: Sync | None
    all: bool = field(init=False)
    _shown: set[str] = field(init=False)

    def __post_init__(self) -> None:
        self.all = not any(self._restricted(e) for e in self.reader.catalogue.of(Entity))
        self._shown = set()
        if self.sync is not None and not self.all:
            hidden = self.reader.hidden(self.sync.target)
            rules = self.sync.fields.items()
            secret = _folded(c for code, rule in rules if code in hidden for c in columns_of(rule))
            seen = _folded(
                c for code, rule in rules if code not in hidden for c in columns_of(rule)
            )
            self._shown = seen - secret

    def sees(self, column: str) -> bool:
        """Whether the caller may see what this column holds."""
        return self.all or column.casefold() in self._shown

    def page(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """A source row's page without what the caller must not see."""
        if found["entity"]:
            self.reader.hidden(found["entity"])  # NotAllowed when all of it is
        if self.all:
            return dict(found)
        return dict(found) | {
            "columns": [(name, value) for name, value in found["columns"] if self.sees(name)],
            "raw_bytes": {n: v for n, v in found["raw_bytes"].items() if self.sees(n)},
            "reason": self.reason(found["reason_code"], found["reason"]),
        }

    def reason(self, code: str | None, reason: Any) -> Any:
        """Why a row was set aside; what it quotes only to those who see everything."""
        if self.all or code is None:
            return reason
        return REASONS.get(code, Text(code, code)).as_dict()

    def _restricted(self, entity: Entity) -> bool:
        try:
            return bool(self.reader.hidden(entity.code))
        except NotAllowed:
            return True


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
