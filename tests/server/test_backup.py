"""The restore drill: what was backed up comes back, verified, and held."""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from tenon.access import accounts
from tenon.assembly import open_tenon
from tenon.assembly.home import HELD
from tenon.kernel.errors import Conflict
from tests import servers
from tests.server.conftest import Commands
from tests.server.orders import write_orders


@pytest.fixture
def backed_up(anywhere: Commands, tmp_path: Path) -> tuple[Commands, Path, dict[str, str]]:
    passwords = anywhere.init()
    with open_tenon(anywhere.home) as opened:
        write_orders(opened, 50)
    file = tmp_path / "out" / "backup.zip"
    result = anywhere("backup", str(file))
    assert result.exit_code == 0, result.output
    return anywhere, file, passwords


def target(tenon: Commands, url: str) -> list[str]:
    return ["--hub", url] if tenon.hub.startswith("postgresql") else []


def test_restore_drill(backed_up: tuple[Commands, Path, dict[str, str]], tmp_path: Path) -> None:
    tenon, file, passwords = backed_up
    home = tmp_path / "restored"
    postgres = tenon.hub.startswith("postgresql")
    with servers.fresh_postgres() if postgres else nullcontext("") as url:
        result = tenon("restore", str(file), *target(tenon, url), home=home)
        assert result.exit_code == 0, result.output
        with open_tenon(home) as opened:
            assert opened.held_since is not None
            with pytest.raises(Conflict, match="held"):
                opened.refuse_when_held()
            accounts.sign_in(opened.hub, "planner", passwords["planner"], "test")
        assert "SO-50/1" in tenon("order", "SO-50", home=home).stdout
        assert tenon("release", home=home).exit_code == 0
        with open_tenon(home) as opened:
            assert opened.held_since is None
        assert "was not held" in tenon("release", home=home).output


def test_the_manifest_counts_every_row(
    backed_up: tuple[Commands, Path, dict[str, str]],
) -> None:
    _, file, _ = backed_up
    with zipfile.ZipFile(file) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert set(archive.namelist()) == {"manifest.json", *manifest["sha256"]}
    assert manifest["rows"]["e_sales_order"] == 50
    assert manifest["rows"]["user_account"] == 5
    assert file.stat().st_mode & 0o077 == 0
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_backup_while_others_write_is_of_one_moment(anywhere: Commands, tmp_path: Path) -> None:
    anywhere.init()
    with open_tenon(anywhere.home) as opened:
        stop, failed = threading.Event(), []

        def write() -> None:
            count = 0
            while not stop.is_set():
                count += 1
                try:
                    write_orders(opened, count * 5)
                except Exception as error:
                    failed.append(error)
                    raise

        writer = threading.Thread(target=write)
        writer.start()
        try:
            result = anywhere("backup", str(tmp_path / "b.zip"))
        finally:
            stop.set()
            writer.join()
    assert result.exit_code == 0, result.output
    assert not failed
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        rows = json.loads(archive.read("manifest.json"))["rows"]
    # Each write makes as many orders as lines as work orders, in one transaction.
    assert rows["e_sales_order"] == rows["e_order_line"] == rows["e_work_order"]


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def bend_settings(parts: dict[str, bytes]) -> None:
    parts["settings.yaml"] += b"\n# changed"


def bend_rows(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    manifest["rows"]["e_sales_order"] += 1
    parts["manifest.json"] = json.dumps(manifest).encode()


def climb_out(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    manifest["sha256"]["../evil"] = "0"
    parts["manifest.json"] = json.dumps(manifest).encode()
    parts["../evil"] = b"evil"


def lose_hub(parts: dict[str, bytes]) -> None:
    manifest = json.loads(parts["manifest.json"])
    del parts[manifest["hub"]]


@pytest.mark.parametrize(
    "change", [bend_settings, bend_rows, climb_out, lose_hub], ids=lambda c: c.__name__
)
def test_a_bent_backup_is_refused(
    tenon: Commands, tmp_path: Path, change: Callable[[dict[str, bytes]], None]
) -> None:
    tenon.init()
    file = tmp_path / "b.zip"
    tenon("backup", str(file))
    rewritten(file, change)
    refused = tenon("restore", str(file), home=tmp_path / "restored")
    assert refused.exit_code == 1, refused.output
    assert not (tmp_path / "evil").exists()
    # Whatever was put there is held: it cannot reach other systems.
    assert not list((tmp_path / "restored").iterdir()) or (tmp_path / "restored" / HELD).exists()


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all"], ids=["empty", "pk", "text"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "b.zip"
    file.write_bytes(content)
    refused = Commands(tmp_path / "home", "")("restore", str(file), home=tmp_path / "restored")
    assert refused.exit_code == 1
    assert "no sound Tenon backup" in refused.output


def test_restore_never_writes_over_a_home(tenon: Commands, tmp_path: Path) -> None:
    tenon.init()
    tenon("backup", str(tmp_path / "b.zip"))
    before = (tenon.home / "hub.db").read_bytes()
    refused = tenon("restore", str(tmp_path / "b.zip"))
    assert refused.exit_code == 1
    assert "not empty" in refused.output
    assert (tenon.home / "hub.db").read_bytes() == before


def test_the_key_is_in_a_backup_only_when_asked_for(tenon: Commands, tmp_path: Path) -> None:
    tenon.init()
    (tenon.home / "secret.key").write_text("the key", "utf-8")
    for words, there in (([], False), (["--with-key"], True)):
        tenon("backup", str(tmp_path / "b.zip"), *words)
        with zipfile.ZipFile(tmp_path / "b.zip") as archive:
            assert ("secret.key" in archive.namelist()) is there
    home = tmp_path / "restored"
    tenon("restore", str(tmp_path / "b.zip"), home=home)
    assert (home / "secret.key").stat().st_mode & 0o077 == 0
    shutil.rmtree(home)


def test_a_backup_of_postgresql_needs_an_empty_database(
    backed_up: tuple[Commands, Path, dict[str, str]], tmp_path: Path
) -> None:
    tenon, file, _ = backed_up
    if not tenon.hub.startswith("postgresql"):
        pytest.skip("only for PostgreSQL")
    refused = tenon("restore", str(file), home=tmp_path / "one")
    assert refused.exit_code == 1
    assert "--hub" in refused.output
    refused = tenon("restore", str(file), "--hub", tenon.hub, home=tmp_path / "two")
    assert refused.exit_code == 1
    assert "not empty" in refused.output
