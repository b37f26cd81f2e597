"""The docs say what the sources say."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
_PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)#\s]+)[^)]*\)")


def _declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    names = {re.split(r"[\[<>=~! ]", one)[0] for one in wanted}
    app = ROOT / "web" / "app" / "package.json"
    if app.is_file():
        package = json.loads(app.read_text("utf-8"))
        names |= set(package["dependencies"]) | set(package["devDependencies"])
    return names


def test_every_dependency_has_its_line() -> None:
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text("utf-8")
    explained = set(re.findall(r"^\| (\S+) \| ", page, re.MULTILINE))
    assert _declared() - explained == set()


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = [found["target"] for found in _LINK.finditer(page.read_text("utf-8"))]
    inside = [target for target in targets if "://" not in target]
    assert [target for target in inside if not (page.parent / target).exists()] == []
