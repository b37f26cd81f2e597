"""The rows the plant has written and not yet stored, by table."""

from typing import Any

from sqlalchemy import MetaData, Table

Row = tuple[Any, ...]


class Page:
    """Pending rows of one table; a later row with the same key replaces the earlier."""

    __slots__ = ("columns", "key_places", "rows", "table")

    def __init__(self, table: Table) -> None:
        self.table = table
        self.columns = tuple(column.name for column in table.columns)
        self.key_places = tuple(
            place for place, column in enumerate(table.columns) if column.primary_key
        )
        self.rows: dict[Any, Row] = {}

    def put(self, row: Row) -> None:
        """Keep a row given in column order."""
        places = self.key_places
        self.rows[row[0] if places == (0,) else tuple(row[place] for place in places)] = row


class Book:
    """Pending rows of all systems; `put` takes names, `add` takes a row in column order."""

    def __init__(self, systems: dict[str, MetaData], only: dict[str, frozenset[str]]) -> None:
        self.pages: dict[str, dict[Table, Page]] = {}
        self._page_of: dict[Table, Page] = {}
        for name, metadata in systems.items():
            kept = only.get(name)
            self.pages[name] = {
                table: Page(table)
                for table in metadata.sorted_tables
                if kept is None or table.name in kept
            }
            self._page_of.update(self.pages[name])

    def has(self, table: Table) -> bool:
        """Tell whether the plant keeps this table (a ledger-only finance lacks many)."""
        return table in self._page_of

    def put(self, table: Table, **values: Any) -> None:
        """Write or overwrite one row; a table the plant does not keep is passed over."""
        page = self._page_of.get(table)
        if page is None:
            return
        row = tuple(map(values.pop, page.columns, [None] * len(page.columns)))
        if values:
            raise KeyError(f"{table.name} has no columns {sorted(values)}; it has {page.columns}")
        page.put(row)

    def add(self, table: Table, row: Row) -> None:
        """Write one row given in column order."""
        self._page_of[table].put(row)

    def pending(self) -> int:
        """Return how many rows wait to be stored."""
        return sum(len(page.rows) for page in self._page_of.values())

    def clear(self) -> None:
        """Forget what is pending, as a muted replay does."""
        for page in self._page_of.values():
            page.rows.clear()
