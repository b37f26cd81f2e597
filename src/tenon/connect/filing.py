"""The files a run reads: taken once, remembered with the rows they held, then put away."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.connect.contract import Arrival, Connector, FilingConnector, StreamTrouble, TakenFile
from tenon.connect.tables import source_file
from tenon.define.models import StreamDef, Sync
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text
from tenon.store import Hub

_AT_ONCE: Final = 500
# A file that lies there untouched for longer than this would be fetched, and known by its content.
_KEEP: Final = timedelta(days=800)

_QUARANTINED = Text(
    "文件“{file}”无法读取，已移到隔离文件夹，其余的照常读取。原因：{zh}",
    "The file “{file}” cannot be read and was put into quarantine; the others are read. Because: "
    "{en}",
)
_SAID = Text("{zh}", "{en}")


class Memory:
    """What the hub remembers of a stream's files, as its definition reads them now."""

    def __init__(self, hub: Hub, sync: Sync) -> None:
        self._hub = hub
        f = source_file.c
        self._own = sa.and_(
            f.source == sync.source,
            f.stream == sync.stream.name,
            f.definition == mark_of(sync.stream),
            f.refused.is_(None),
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
        for file in self.arrival.fresh:
            self._remember(tx, file, read=True)
        for file in self.arrival.same:
            self._remember(tx, file)
        if self.arrival.fresh:
            f = source_file.c
            own = sa.and_(f.source == self._sync.source, f.stream == self._sync.stream.name)
            tx.execute(source_file.delete().where(own, f.taken_at < clock.now() - _KEEP))

    def settle(self) -> TenonError | None:
        """Put the files where files go that were read; what went wrong in doing so."""
        try:
            self._connector.settle(self._sync.stream, None)
        except TenonError as problem:
            return problem
        return None

    def refuse(self, hub: Hub, error: TenonError) -> TenonError:
        """Put the file at fault into quarantine, where there is one; then the others go on."""
        try:
            file = self._connector.settle(self._sync.stream, error)
        except TenonError:
            return error  # it stays where it is, and the source stops at it
        if file is None:
            return error
        with hub.write(durable=False) as tx:
            self._remember(tx, file, refused=json.dumps(error.text.as_dict(), ensure_ascii=False))
        text = _QUARANTINED.format(file=file.name, zh=error.text.zh, en=error.text.en)
        return StreamTrouble("file_quarantined", _SAID, zh=text.zh, en=text.en)

    def _remember(
        self, tx: Connection, file: TakenFile, *, read: bool = False, refused: str | None = None
    ) -> None:
        f = source_file.c
        place = {"source": self._sync.source, "stream": self._sync.stream.name}
        tx.execute(
            source_file.delete().where(
                f.source == place["source"], f.stream == place["stream"], f.name == file.name,
                f.digest == file.digest,
            )
        )  # fmt: skip
        tx.execute(
            source_file.insert().values(
                **place, name=file.name, digest=file.digest, size=file.size,
                modified=file.modified, taken_at=clock.now(), read=read, refused=refused,
                run_id=self._run_id, definition=mark_of(self._sync.stream),
            )
        )  # fmt: skip


def filing_of(hub: Hub, sync: Sync, run_id: str, connector: Connector) -> Filing | None:
    """The files of a run, when its connector reads files."""
    if not hasattr(connector, "take"):
        return None
    return Filing(hub, sync, run_id, cast("FilingConnector", connector))


def mark_of(stream: StreamDef) -> str:
    """What changes with the definition: a file is read again by rules that are new."""
    said = stream.model_dump(mode="json")
    if stream.file is not None:  # when it is picked up does not matter to what is in it
        del said["file"]["expect_by"]
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=8).hexdigest()


def _file(row: Any) -> TakenFile:
    return TakenFile(row.name, row.size, row.modified, row.digest)
