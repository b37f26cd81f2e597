"""`tenon source` and `tenon sync`: a system joined from the command line, step by step."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.cli.main import app


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_settings(home, HomeSettings())
    open_tenon(home).close()
    return home


def tenon(home: Path, *arguments: str, typed: str = "") -> Result:
    runner = CliRunner(env={"TENON_HOME": str(home)})
    return runner.invoke(app, ["--lang", "zh", *arguments], input=typed)


def test_a_system_is_joined_read_and_removed(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as db:
        db.executescript(
            "CREATE TABLE KHDA (KHBM TEXT PRIMARY KEY, KHMC TEXT, SH TEXT);"
            "INSERT INTO KHDA VALUES ('K1', '无锡拓腾', '91320200MA1ABCDE12'), ('K2', '', NULL);"
        )
    db.close()
    said = tenon(home, "source", "add", "老系统", "sql", "-s", "dialect=sqlite",
                 "-s", f"file={path}")  # fmt: skip
    assert said.exit_code == 0, said.output
    assert "lao_xi_tong" in said.output
    assert "lao_xi_tong" in tenon(home, "source", "list").output
    tried = tenon(home, "source", "try", "lao_xi_tong")
    assert tried.exit_code == 0
    assert "找到 1 个" in tried.output
    assert "客户" in tenon(home, "source", "tables", "lao_xi_tong").output
    assert "无锡拓腾" in tenon(home, "source", "rows", "lao_xi_tong", "KHDA").output
    suggested = tenon(home, "sync", "suggest", "lao_xi_tong", "KHDA")
    assert "拼音" in suggested.stderr
    draft = tmp_path / "draft.yaml"
    draft.write_text(suggested.stdout, "utf-8")
    looked = tenon(home, "sync", "preview", "--file", str(draft))
    assert "可用 1，将搁置 1" in looked.output
    assert "lao_xi_tong_customer" in tenon(home, "sync", "add", str(draft)).output
    ran = tenon(home, "sync", "run", "lao_xi_tong_customer")
    assert "写入 1" in ran.output
    assert "lao_xi_tong_customer" in tenon(home, "sync", "list").output
    refused = tenon(home, "source", "remove", "lao_xi_tong")
    assert refused.exit_code == 1
    assert tenon(home, "source", "remove", "lao_xi_tong", "--really").exit_code == 0
    assert "lao_xi_tong" not in tenon(home, "source", "list").output


def test_a_password_is_asked_for_and_never_an_argument(home: Path) -> None:
    refused = tenon(home, "source", "add", "仓库", "sql", "-s", "password=hush-hush")
    assert refused.exit_code == 1
    assert "hush-hush" not in refused.output
    added = tenon(home, "source", "add", "仓库", "sql", "-s", "host=10.255.255.1", "-s",
                  "database=wms", "-s", "user=tenon", typed="hush-hush\n")  # fmt: skip
    assert added.exit_code == 0, added.output
    assert "hush-hush" not in added.output
    kept = (home / "connections.yaml").read_text("utf-8") + (home / "secrets.json").read_text()
    assert "secret:cang_ku-password" in kept
    assert "hush-hush" not in kept


def test_a_draft_that_is_none_is_one_clear_line(home: Path, tmp_path: Path) -> None:
    for text in ("- just\n- a list\n", "source: kis\ntarget: [", "source: kis\nshoe: 1\n"):
        path = tmp_path / "bad.yaml"
        path.write_text(text, "utf-8")
        said = tenon(home, "sync", "preview", "--file", str(path))
        assert said.exit_code == 1
        assert "Traceback" not in said.output
