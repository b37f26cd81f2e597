"""The browser app's client is generated from what the server says of itself today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.standin.server import app as standin
from tests.serving import serving

APP = Path(__file__).parents[2] / "web" / "app"


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    with serving(tmp_path_factory.mktemp("home")) as served:
        answer: dict[str, Any] = served.client().get("/api/openapi.json").json()
    return answer


def test_the_client_is_up_to_date(described: dict[str, Any]) -> None:
    kept = json.loads((APP / "openapi.json").read_text("utf-8"))
    again = "save /api/openapi.json as web/app/openapi.json and run `npm run api` there"
    assert kept["paths"] == described["paths"], again
    assert kept["components"] == described["components"], again


def test_the_stand_in_answers_what_the_server_answers(described: dict[str, Any]) -> None:
    ours = {path: set(methods) for path, methods in standin.openapi()["paths"].items()}
    theirs = {path: set(methods) for path, methods in described["paths"].items()}
    assert {path: methods - theirs.get(path, set()) for path, methods in ours.items()} == {
        path: set() for path in ours
    }
