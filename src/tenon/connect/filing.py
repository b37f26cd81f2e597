"""The files a run reads: taken once, remembered with the rows they held, then put away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import Arrival, Connector, FilingConnector, TakenFile
from tenon.connect.tables import source_file
from tenon.define.models import StreamDef, Sync
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text
from tenon.store import Hub

_AT_ONCE: Final = 500
# A file that lies there untouched for longer than this would be fetched, and known by its content.
_KEEP: Final = timedelta(days=800)


class Memory:
    """What the hub remembers of a stream's files, as its definition reads them now."""

    def __init__(self, hub: Hub, sync: Sync) -> None:
        self._hub = hub
        f = source_file.c
        self._own = sa.and_(
            f.source == sync.source,
            f.stream == sync.stream.name,
            f.definition == mark_of(sync.stream),
        )

    def last(self) -> TakenFile | None:
        """The file that was read last."""
        f = source_file.c
        query = sa.select(source_file).where(self._own, f.read)
        with self._hub.read() as connection:
            row = connection.execute(query.order_by(f.taken_at.desc(), f.name.desc())).first()
        return _file(row) if row else None

    def named(self, names: Sequence[str]) -> Mapping[str, TakenFile]:
        """The files with these names, as they were taken last."""
        found: dict[str, TakenFile] = {}
        f = source_file.c
        with self._hub.read() as connection:
            for at in range(0, len(names), _AT_ONCE):
                these = f.name.in_(names[at : at + _AT_ONCE])
                query = sa.select(source_file).where(self._own, these).order_by(f.taken_at)
                found |= {row.name: _file(row) for row in connection.execute(query)}
        return found

    def has(self, digest: str) -> bool:
        """Whether this very content was read."""
        query = sa.select(source_file.c.name).where(self._own, source_file.c.digest == digest)
        with self._hub.read() as connection:
            return connection.execute(query.limit(1)).first() is not None


class Filing:
    """The files of one run."""

    def __init__(self, hub: Hub, sync: Sync, run_id: str, connector: FilingConnector) -> None:
        self._sync, self._run_id, self._connector = sync, run_id, connector
        self._memory = Memory(hub, sync)
        self.arrival = Arrival()

    @property
    def whole(self) -> bool:
        """Whether a file holds all rows, so that one that is not in it is gone."""
        how = self._sync.stream.file
        return how is None or how.mode == "whole"

    def take(self) -> bool:
        """Fetch what is new; whether there is anything to read."""
        self.arrival = self._connector.take(self._sync.stream, self._memory)
        return bool(self.arrival.fresh)

    def note(self, other: Text | None = None) -> Text | None:
        """What to say of the run."""
        notes = [*self.arrival.notes, *self._connector.remarks(self._sync.stream)]
        notes += [other] if other else []
        if not notes:
            return None
        return Text("".join(n.zh for n in notes), " ".join(n.en for n in notes))

    def record(self, tx: Connection) -> None:
        """Remember what was taken, in the transaction that ends the run."""
        place = {"source": self._sync.source, "stream": self._sync.stream.name}
        f, now = source_file.c, clock.now()
        own = sa.and_(f.source == place["source"], f.stream == place["stream"])
        for read, files in ((True, self.arrival.fresh), (False, self.arrival.same)):
            for one in files:
                tx.execute(
                    source_file.delete().where(own, f.name == one.name, f.digest == one.digest)
                )
                tx.execute(
                    source_file.insert().values(
                        **place, name=one.name, digest=one.digest, size=one.size,
                        modified=one.modified, taken_at=now, read=read, run_id=self._run_id,
                        definition=mark_of(self._sync.stream),
                    )
                )  # fmt: skip
        if self.arrival.fresh:
            tx.execute(source_file.delete().where(own, f.taken_at < now - _KEEP))

    def settle(self, error: TenonError | None = None) -> TenonError | None:
        """Put the files where they go now; what went wrong in doing so."""
        try:
            self._connector.settle(self._sync.stream, error)
        except TenonError as problem:
            return problem
        return None


def filing_of(hub: Hub, sync: Sync, run_id: str, connector: Connector) -> Filing | None:
    """The files of a run, when its connector reads files."""
    if not hasattr(connector, "take"):
        return None
    return Filing(hub, sync, run_id, cast("FilingConnector", connector))


def mark_of(stream: StreamDef) -> str:
    """What changes with the definition: a file is read again by rules that are new."""
    said = stream.model_dump(mode="json")
    if stream.file is not None:  # when it is picked up does not matter to what is in it
        for name in ("due", "marker", "stable_seconds"):
            del said["file"][name]
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()


def _file(row: Any) -> TakenFile:
    return TakenFile(row.name, row.size, row.modified, row.digest)
