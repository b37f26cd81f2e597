"""The command line: init, order, user, package, doctor, status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tenon.access import accounts
from tenon.assembly import open_tenon
from tenon.assembly.home import SETTINGS, only_writer
from tenon.automate import switch
from tenon.connect.settings import Connections
from tenon.define.catalogue import read_package
from tenon.define.models import Flow
from tests.server.conftest import Commands
from tests.server.orders import write_orders

BUILT_IN = Path("src/tenon/factory/package")


def test_init_makes_five_accounts_once(anywhere: Commands) -> None:
    passwords = anywhere.init()
    assert sorted(passwords) == ["admin", "manager", "planner", "sales", "worker"]
    assert all(len(p) >= 20 for p in passwords.values())
    again = anywhere("init")
    assert again.exit_code == 0
    assert "{" not in again.stdout
    with open_tenon(anywhere.home) as opened:
        accounts.sign_in(opened.hub, "admin", passwords["admin"], "test")


def test_init_refuses_to_move_a_home_to_another_hub(tenon: Commands) -> None:
    tenon.init()
    refused = tenon("init", "--hub", "postgresql://elsewhere/tenon")
    assert refused.exit_code == 1
    assert "already uses" in refused.output


def test_settings_are_readable_by_their_owner_alone(tenon: Commands) -> None:
    tenon.init()
    if sys.platform != "win32":
        assert (tenon.home / SETTINGS).stat().st_mode & 0o077 == 0


def test_wrong_settings_are_named(tenon: Commands) -> None:
    tenon.init()
    (tenon.home / SETTINGS).write_text("zone: Asia/Shangai\nplnt: x\n", "utf-8")
    refused = tenon("status")
    assert refused.exit_code == 1
    assert "Asia/Shangai" in refused.output
    assert "plnt" in refused.output


def test_a_home_that_is_none_says_what_to_do(tenon: Commands) -> None:
    for words in (("order", "SO-1"), ("status",), ("backup", str(tenon.home / "x.zip"))):
        refused = tenon(*words)
        assert refused.exit_code == 1
        assert "tenon init" in refused.output


def test_order_tells_where_it_is(anywhere: Commands) -> None:
    anywhere.init()
    with open_tenon(anywhere.home) as opened:
        write_orders(opened)
    english, chinese = anywhere("order", "so-1"), anywhere("order", "SO-1", lang="zh")
    assert english.exit_code == chinese.exit_code == 0
    assert "SO-1/1" in english.stdout
    assert "WO-1" in english.stdout
    assert "Planned" in english.stdout
    assert "待下达" in chinese.stdout
    assert "北仑" in chinese.stdout


def test_order_searches_when_it_is_no_order_number(tenon: Commands) -> None:
    tenon.init()
    with open_tenon(tenon.home) as opened:
        write_orders(opened)
    assert "SO-2/1" in tenon("order", "WO-2").stdout
    several = tenon("order", "北仑").stdout
    assert "SO-1/1" in several
    assert "SO-2/1" in several


def test_order_that_is_not_there(tenon: Commands) -> None:
    tenon.init()
    missing = tenon("order", "SO-404")
    assert missing.exit_code == 1
    assert "SO-404" in missing.output


def test_user_reset_gives_a_new_password_and_wakes_a_suspended_account(tenon: Commands) -> None:
    old = tenon.init()["worker"]
    printed = tenon("user", "reset", "worker").stdout
    new = printed.strip().rsplit(" ", 1)[1]
    assert new != old
    with open_tenon(tenon.home) as opened:
        accounts.sign_in(opened.hub, "worker", new, "test")
    assert tenon("user", "reset", "nobody").exit_code == 1


def test_status_is_json(anywhere: Commands) -> None:
    anywhere.init()
    facts = json.loads(anywhere("status", "--json").stdout)
    assert facts["hub"] in anywhere.hub
    assert facts["epoch"] == 1
    assert facts["held"] is False


def test_only_one_process_writes_a_sqlite_home(tenon: Commands, tmp_path: Path) -> None:
    tenon.init()
    program = (
        "import sys, pathlib\n"
        "from tenon.assembly.home import only_writer\n"
        "with only_writer(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tenon.home)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        refused = tenon("user", "reset", "worker")
        assert refused.exit_code == 1
        assert f"pid {other.pid}" in refused.output
        assert json.loads(tenon("status", "--json").stdout)["running"] is True
        assert tenon("backup", str(tmp_path / "b.zip")).exit_code == 0
        other.kill()
    with only_writer(tenon.home):
        pass


def changed_package(folder: Path, version: str, label: str) -> Path:
    """Copy the built-in package with another label of an entity."""
    folder.mkdir()
    for path in BUILT_IN.glob("*.yaml"):
        text = path.read_text("utf-8").replace("version: 0.2.0", f"version: {version}")
        text = text.replace("label: {zh: 客户, en: Customer}\ntitle", f"label: {label}\ntitle")
        (folder / path.name).write_text(text, "utf-8")
    return folder


def test_a_package_is_planned_published_and_rolled_back(anywhere: Commands, tmp_path: Path) -> None:
    anywhere.init()
    folder = changed_package(tmp_path / "package", "0.2.0", "{zh: 主顾, en: Patron}")
    planned = anywhere("package", "plan", str(folder))
    assert "customer" in planned.stdout
    assert json.loads(anywhere("status", "--json").stdout)["epoch"] == 1
    assert anywhere("package", "publish", str(folder)).exit_code == 0
    with open_tenon(anywhere.home) as opened:
        assert opened.catalogue.entity("customer").label.zh == "主顾"
    assert anywhere("package", "rollback", "factory", "1").exit_code == 0
    with open_tenon(anywhere.home) as opened:
        assert opened.catalogue.epoch == 3
        assert opened.catalogue.entity("customer").label.zh == "客户"


def test_a_package_with_an_unknown_capability_is_refused(tenon: Commands, tmp_path: Path) -> None:
    tenon.init()
    folder = changed_package(tmp_path / "package", "0.2.0", "{zh: 客户, en: Customer}")
    roles = folder / "roles.yaml"
    roles.write_text(roles.read_text("utf-8").replace("[orders.read]", "[orders.raed]"), "utf-8")
    refused = tenon("package", "publish", str(folder))
    assert refused.exit_code == 1
    assert "orders.raed" in refused.output


def test_the_built_in_package_is_sound() -> None:
    package, definitions = read_package(BUILT_IN)
    assert package.code == "factory"
    roles = {d.code for d in definitions if d.kind == "role"}
    assert roles == {"admin", "planner", "manager", "sales", "worker"}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_doctor_names_what_is_wrong(tenon: Commands, lang: str) -> None:
    tenon.init()
    well = tenon("doctor", lang=lang)
    assert "✓" in well.stdout
    (tenon.home / "secrets.json").write_text("{}", "utf-8")
    (tenon.home / "secret.key").unlink(missing_ok=True)
    wrong = tenon("doctor", lang=lang)
    assert wrong.exit_code == 1
    assert "secret.key" in wrong.stdout


def test_doctor_on_a_hub_that_is_away(tenon: Commands, tmp_path: Path) -> None:
    tenon.init()
    (tmp_path / "home" / SETTINGS).write_text(
        "hub: postgresql://tenon:hidden-word@127.0.0.1:1/tenon\n", "utf-8"
    )
    wrong = tenon("doctor")
    assert wrong.exit_code == 1
    assert "cannot be reached" in wrong.stdout
    assert "hidden-word" not in wrong.output


def test_a_secret_is_typed_kept_and_never_shown(tenon: Commands) -> None:
    tenon.init()
    kept = tenon("secret", "set", "wms", given="hidden-word\n")
    assert kept.exit_code == 0
    assert "wms" in tenon("secret", "list").stdout
    assert Connections(tenon.home).secrets.get("wms") == "hidden-word"
    for path in tenon.home.iterdir():
        assert b"hidden-word" not in path.read_bytes()
    assert "hidden-word" not in kept.output


def plant_description(folder: Path) -> Path:
    (folder / "token").write_text("the-token\n", "utf-8")
    systems = {
        "mes": {"url": f"sqlite:///{folder}/mes.db", "encoding": "gb18030"},
        "wms": {"url": "mysql://tenon:hidden-word@127.0.0.1:3306/wms", "encoding": "utf-8"},
        "kis": {"url": f"sqlite:///{folder}/kis.db", "profile": "full"},
        "crm": {"base_url": "http://127.0.0.1:8811/api", "token_file": str(folder / "token")},
    }
    file = folder / "plant.json"
    file.write_text(json.dumps({"zone": "Asia/Shanghai", "systems": systems}), "utf-8")
    return file


def test_a_plant_is_joined_with_its_secrets_kept_apart(tenon: Commands, tmp_path: Path) -> None:
    file = plant_description(tmp_path)
    assert tenon("init", "--from-plant", str(file)).exit_code == 0
    connections = Connections(tenon.home)
    assert connections.codes() == ["crm", "kis", "mes", "wms"]
    assert connections.secrets.get("wms") == "hidden-word"
    assert connections.secrets.get("crm") == "the-token"
    text = (tenon.home / "connections.yaml").read_text("utf-8")
    assert "hidden-word" not in text
    assert "the-token" not in text
    with open_tenon(tenon.home) as opened, opened.hub.write() as tx:
        flows = opened.catalogue.of(Flow)
        assert all(switch.enabled(tx, flows).values())
        switch.set_enabled(tx, flows[0].code, enabled=False, by="admin")
    assert tenon("init", "--from-plant", str(file)).exit_code == 0
    with open_tenon(tenon.home) as opened, opened.hub.read() as connection:
        on = switch.enabled(connection, flows)
    assert [code for code, is_on in on.items() if not is_on] == [flows[0].code], "a person said so"


@pytest.mark.parametrize("content", ["", "[]", '{"systems": {"mes": {}}}'])
def test_what_describes_no_plant_is_refused(tenon: Commands, tmp_path: Path, content: str) -> None:
    file = tmp_path / "plant.json"
    file.write_text(content, "utf-8")
    refused = tenon("init", "--from-plant", str(file))
    assert refused.exit_code == 1
    assert "no whole description" in refused.output


def test_doctor_tries_each_source(tenon: Commands, tmp_path: Path) -> None:
    tenon("init", "--from-plant", str(plant_description(tmp_path)))
    wrong = tenon("doctor")
    assert wrong.exit_code == 1
    for name in ("MES", "WMS", "CRM"):
        assert name in wrong.stdout
    assert "hidden-word" not in wrong.output


def test_syncs_are_steered_from_a_terminal(tenon: Commands) -> None:
    tenon.init()
    paused = tenon("sync", "pause", "mes", "--reason", "backup")
    assert paused.exit_code == 0, paused.output
    assert "paused by" in tenon("sync", "list").output
    assert tenon("sync", "pause", "nowhere", "--reason", "x").exit_code == 1
    assert tenon("sync", "resume", "mes").exit_code == 0
    assert "paused by" not in tenon("sync", "list").output
    early = tenon("sync", "backfill", "mes", "mes_job", "2025-01-01", "2025-01-02", "--reason", "x")
    assert early.exit_code == 1
    assert "first load" in early.output or "no sync" in early.output
