"""S11: the secret of a connection goes to its own host, and to no other."""

from __future__ import annotations

import json
import logging
import stat
import threading
from pathlib import Path

import pytest

from tenon.connect.secrets import Secrets
from tenon.connect.settings import Connections
from tenon.define.models import Label, SourceDef
from tenon.kernel.errors import NeedsUser
from tests.service.test_connectors import api

LABEL = Label(zh="客户", en="CRM")
CRM = SourceDef(code="crm", label=LABEL, system=LABEL, connector="http")
OTHER = SourceDef(code="other", label=LABEL, system=LABEL, connector="http")


def check(connections: Connections, source: SourceDef) -> None:
    connector = connections.open(source)
    try:
        connector.check()
    finally:
        connector.close()


def test_a_secret_is_not_sent_to_an_address_that_was_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connections = Connections(tmp_path)
    connections.secrets.set("crm", "right")
    with api() as one, api() as other:
        connections.save({"crm": {"url": one.url, "token": "secret:crm"}})
        check(connections, CRM)
        connections.save({"crm": {"url": other.url, "token": "secret:crm"}})
        with caplog.at_level(logging.WARNING), pytest.raises(NeedsUser) as refused:
            check(connections, CRM)
        assert refused.value.code == "secret_elsewhere"
        assert "tenon secret set crm" in refused.value.text.en
        assert other.asked == []
        assert "was not sent to" in caplog.text
        assert "right" not in caplog.text + refused.value.text.zh
        connections.secrets.set("crm", "right")  # somebody who knows it says so
        check(connections, CRM)
        assert len(other.asked) == 1


def test_another_connection_cannot_borrow_a_secret(tmp_path: Path) -> None:
    connections = Connections(tmp_path)
    connections.secrets.set("crm", "right")
    with api() as one, api() as other:
        connections.save({
            "crm": {"url": one.url, "token": "secret:crm"},
            "other": {"url": other.url, "token": "secret:crm"},
        })  # fmt: skip
        check(connections, CRM)
        with pytest.raises(NeedsUser, match="secret_elsewhere"):
            check(connections, OTHER)
        assert other.asked == []


def test_what_is_never_sent_belongs_nowhere(tmp_path: Path) -> None:
    connections = Connections(tmp_path)
    connections.secrets.set("hook", "h" * 40)
    connections.save({"crm": {"url": "http://10.0.0.9:8601", "hook_secret": "secret:hook"}})
    connections.open(CRM).close()
    assert connections.hook_secret("crm") == "h" * 40
    assert not (tmp_path / "secret-places.json").exists()


def test_the_places_hold_no_secret_and_survive_a_crowd(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path)
    for n in range(8):
        secrets.set(f"s{n}", "canary-密码")
    wrong: list[Exception] = []

    def use(n: int) -> None:
        try:
            for _ in range(20):
                assert secrets.get(f"s{n}", f"10.0.0.{n}:80") == "canary-密码"
        except Exception as error:  # noqa: BLE001  told below
            wrong.append(error)

    threads = [threading.Thread(target=use, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    places = (tmp_path / "secret-places.json").read_text("utf-8")
    assert set(json.loads(places)) <= {f"s{n}" for n in range(8)}
    assert "canary" not in places
    assert stat.S_IMODE((tmp_path / "secret-places.json").stat().st_mode) == 0o600
