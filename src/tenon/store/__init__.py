"""The hub database: engine, transactions, the SQLite write gate, types, our own migrations.

The only room that opens the hub database; rooms above declare their tables on `metadata`.
"""

from tenon.store.engine import Hub, open_hub
from tenon.store.signals import announce
from tenon.store.tables import metadata
from tenon.store.types import Id, Json, ScaledDecimal, UtcTime

__all__ = ["Hub", "Id", "Json", "ScaledDecimal", "UtcTime", "announce", "metadata", "open_hub"]
