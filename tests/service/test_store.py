"""Group commit: saved means on the disk; one flush serves many; a failing disk is told at once."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tenon.kernel.errors import Stop
from tenon.store import Hub, announce, open_hub

thing = sa.Table("thing", sa.MetaData(), sa.Column("n", sa.Integer, primary_key=True))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = open_hub(f"sqlite:///{tmp_path / 'hub.db'}")
    with hub.write() as tx:
        thing.create(tx)
    yield hub
    hub.close()


class Disk:
    """Counts flushes, lets them take a while, or fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.flushes, self.fails = 0, False
        self.slow = threading.Event()
        self._real = os.fsync
        monkeypatch.setattr(os, "fsync", self._fsync)

    def _fsync(self, file: int) -> None:
        self.flushes += 1
        self.slow.wait(0.01)
        if self.fails:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._real(file)


def add(hub: Hub, n: int, *, durable: bool = True) -> None:
    with hub.write(durable=durable) as tx:
        tx.execute(thing.insert().values(n=n))


def count(hub: Hub) -> int:
    with hub.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(thing)) or 0


def test_saved_means_flushed(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    add(hub, 1)
    assert disk.flushes == 1
    add(hub, 2, durable=False)
    assert disk.flushes == 1


def test_many_share_a_flush(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    def save(at: int) -> None:
        for n in range(20):
            add(hub, at * 100 + n)

    threads = [threading.Thread(target=save, args=(at,)) for at in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(hub) == 320
    assert disk.flushes < 160


def test_a_disk_that_fails_is_told_and_never_trusted_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    disk.fails = True
    with pytest.raises(Stop) as failed:
        add(hub, 1)
    assert failed.value.code == "disk_failed"
    disk.fails = False
    with pytest.raises(Stop):
        add(hub, 2)


def test_the_order_is_commit_then_flush_then_told(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    disk = Disk(monkeypatch)
    hub.signals.subscribe(lambda topics: seen.append(f"told after {disk.flushes}"))
    with hub.write() as tx:
        tx.execute(thing.insert().values(n=1))
        announce(tx, "thing")
        assert disk.flushes == 0
    assert seen == ["told after 1"]
