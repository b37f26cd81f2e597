"""What a source holds that is no row: set aside with its bytes, and recognised by them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from tenon.connect.batches import CONTENT, PLACE, REFUSED, refusal_of
from tenon.connect.mapping import Facts, Mapper, Row

LAYOUT = (REFUSED, PLACE, CONTENT)


class RefusedMapper(Mapper):
    """Stands for the rules where there is no row to apply them to."""

    def __init__(self) -> None:
        self.names = LAYOUT
        self.lookups = ()

    def key(self, row: Row) -> str | None:
        """The same bytes are the same refusal, wherever they stand."""
        content = row[2] if isinstance(row[2], bytes) else str(row[2]).encode()
        return "line:" + blake2b(content, digest_size=16).hexdigest()

    def cursor(self, _row: Row) -> Any:
        """It has no place in the order of the rows."""
        return None

    def version(self, _row: Row) -> Any:
        """It has no revision."""
        return None

    def values(self, row: Row) -> dict[str, Any]:
        """Refused, always."""
        raise refusal_of(row[0])

    def facts(self, _row: Row) -> Facts | None:
        """It tells nothing."""
        return None
