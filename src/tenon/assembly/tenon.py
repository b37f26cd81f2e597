"""Opening a Tenon home: settings, lock, hub, migrations, built-in package, catalogue."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

# Every room that declares tables is imported here, so that the first migration makes them all.
import tenon.access.tables
import tenon.automate.tables
import tenon.connect.tables
import tenon.define.tables
import tenon.factory.cards
import tenon.factory.reporting.tables
import tenon.factory.tables
import tenon.jobs.lease
import tenon.jobs.queue
import tenon.master.tables
import tenon.records.tables
import tenon.tasks.tables  # noqa: F401
from tenon.access.policy import RolePolicy
from tenon.assembly import packages
from tenon.assembly.home import (
    HELD,
    HomeSettings,
    hub_url,
    only_writer,
    read_settings,
    write_private,
)
from tenon.assembly.syncing import Syncing
from tenon.assembly.working import Working
from tenon.automate import notices
from tenon.automate.triggers import FlowTriggers
from tenon.connect import service
from tenon.connect.calls import CallBook
from tenon.connect.deps import ConnectDeps
from tenon.connect.settings import Connections
from tenon.define import publish
from tenon.define.catalogue import Catalogue
from tenon.jobs.worker import LEASE_SECONDS
from tenon.kernel import clock
from tenon.kernel.errors import Config, Conflict
from tenon.kernel.text import Text
from tenon.records.ports import Actor
from tenon.records.query import Reader
from tenon.records.write import Writer
from tenon.store import Hub, open_hub
from tenon.store.migrate import migrate

_NO_HUB = Text(
    "找不到数据库文件 {path}；请先运行：tenon init --home {home}",
    "There is no database file {path}. Run first: tenon init --home {home}",
)
_HELD = Text(
    "此实例由备份恢复（{at}），尚未放行，不会与任何外部系统通信；确认无误后运行：tenon release",
    "This instance was restored from a backup ({at}) and is held: it talks to no other system. "
    "When all is well, run: tenon release",
)


class CurrentPolicy:
    """The policy of whatever is published at the moment it is asked."""

    def __init__(self, tenon: Tenon) -> None:
        self._tenon = tenon

    def check_read(self, actor: Actor, entity: str) -> frozenset[str]:
        """The fields hidden from the actor; NotAllowed when all of the entity is."""
        return self._tenon.policy.check_read(actor, entity)

    def check_write(self, actor: Actor, entity: str, fields: frozenset[str]) -> None:
        """Raise NotAllowed when the actor may not write these fields of the entity."""
        self._tenon.policy.check_write(actor, entity, fields)


class Tenon:
    """A Tenon that is open: its hub, its published definitions, its doors to records."""

    def __init__(
        self, home: Path, settings: HomeSettings, hub: Hub, stack: ExitStack, *, counts: bool = True
    ) -> None:
        self.home = home
        self.settings = settings
        self.hub = hub
        self._stack = stack
        self._lock = threading.Lock()
        self._catalogue = Catalogue(0, ())
        self._policy = RolePolicy(self._catalogue)
        policy = CurrentPolicy(self)
        self.triggers = FlowTriggers(self._fresh, policy)
        connections = Connections(home, CallBook(hub, _tell_administrators) if counts else None)
        self.connect = ConnectDeps(
            hub, self._fresh, policy, connections, triggers=self.triggers, zone=self.zone
        )
        self.syncing = Syncing(home, self.connect)
        self.working = Working(self.connect, self.triggers)
        self.refresh()

    @property
    def catalogue(self) -> Catalogue:
        """The definitions as last seen published; `refresh` looks again."""
        return self._catalogue

    @property
    def policy(self) -> RolePolicy:
        """The policy of the catalogue's roles."""
        return self._policy

    @property
    def writer(self) -> Writer:
        """The one write path, under the policy."""
        policy = self._policy
        return Writer(policy.catalogue, policy, self.triggers)

    def reader(self, actor: Actor) -> Reader:
        """Reads records as the actor, under the policy."""
        policy = self._policy
        return Reader(policy.catalogue, policy, actor)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The plant's time zone."""
        return ZoneInfo(self.settings.zone)

    def source_ages(self, connection: Connection) -> dict[str, timedelta | None]:
        """How long ago each source was last read in full; None when never."""
        return service.source_ages(self.connect, connection)

    def source_states(self, connection: Connection) -> Sequence[service.SourceState]:
        """The state of each source's connection."""
        return service.source_states(self.connect, connection)

    def waiting_rows(self, connection: Connection, keys: list[str]) -> int:
        """How many source rows that name one of these documents are set aside."""
        return service.waiting_rows(connection, keys)

    def refresh(self, connection: Connection | None = None) -> None:
        """Take up a newer publish, if there is one; costs one look at one row."""
        if connection is None:
            with self.hub.read() as own:
                self.refresh(own)
            return
        if publish.current_epoch(connection) == self._catalogue.epoch:
            return
        with self._lock:
            loaded = publish.load(connection)
            if loaded.epoch > self._catalogue.epoch:
                self._catalogue, self._policy = loaded, RolePolicy(loaded)

    def _fresh(self, tx: Connection | None = None) -> Catalogue:
        if tx is None:
            self.refresh()
            return self._catalogue
        seen: dict[str, Any] = tx.info["seen"]
        if "catalogue" not in seen:
            self.refresh(tx)
            seen["catalogue"] = self._catalogue
        found: Catalogue = seen["catalogue"]
        return found

    @contextmanager
    def at_work(
        self,
        *,
        sync: bool = True,
        jobs: bool = True,
        threads: int = 1,
        lease_seconds: float = LEASE_SECONDS,
    ) -> Iterator[None]:
        """Sync and do jobs for the block."""
        self.hub.listen()
        working = self.working.running(threads=threads, lease_seconds=lease_seconds)
        with (
            working if jobs else nullcontext(),
            self.syncing.running() if sync else nullcontext(),
        ):
            yield

    @property
    def held_since(self) -> datetime | None:
        """When this instance was restored and not yet released; None on a normal one."""
        try:
            mark: dict[str, Any] = json.loads((self.home / HELD).read_text("utf-8"))
        except FileNotFoundError:
            return None
        return datetime.fromisoformat(mark["at"])

    def refuse_when_held(self) -> None:
        """Raise Conflict on a restored instance: nothing may go outward before its release."""
        at = self.held_since
        if at is not None:
            raise Conflict("held", _HELD, at=at.isoformat(timespec="minutes"))

    def close(self) -> None:
        """Close the hub and give back the home's lock."""
        self.working.close()
        self.connect.writers.close()
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()


def open_tenon(home: Path, *, write: bool = True) -> Tenon:
    """Open a home; to write, which migrates and publishes the built-in package, or to read.

    On SQLite a home is open to write in one process only; another raises Stop.
    """
    settings = read_settings(home)
    url = hub_url(home, settings)
    with ExitStack() as stack:
        if url.startswith("sqlite"):
            if write:
                stack.enter_context(only_writer(home))
            else:
                _require_file(home, Path(url.removeprefix("sqlite:///")))
        hub = open_hub(url)
        stack.callback(hub.close)
        if write:
            migrate(hub)
            packages.publish_built_in(hub)
        # On SQLite one process alone writes; another could count no call that costs money.
        counts = write or not url.startswith("sqlite")
        return Tenon(home, settings, hub, stack.pop_all(), counts=counts)


def hold(home: Path) -> None:
    """Mark a home as restored: nothing goes outward until it is released."""
    write_private(home / HELD, json.dumps({"at": clock.wall().isoformat()}))


def release(home: Path) -> bool:
    """Let a restored home talk to other systems again; whether it was held."""
    held = (home / HELD).exists()
    (home / HELD).unlink(missing_ok=True)
    return held


def _tell_administrators(tx: Connection, title: Text, body: Text, link: str) -> None:
    notices.write(tx, [notices.NewNotice("admin", title, body, link)])


def _require_file(home: Path, path: Path) -> None:
    if not path.exists():
        raise Config("no_hub", _NO_HUB, path=str(path), home=str(home))
