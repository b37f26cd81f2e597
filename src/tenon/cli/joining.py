"""Joining a simulated plant: its description becomes connections, its passwords secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tenon.assembly import Tenon
from tenon.automate import switch
from tenon.connect.settings import Connections
from tenon.define.models import Flow
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_DATABASES: Final = ("mes", "wms", "kis")
# What Tenon may write into the simulated MES.
_WRITES: Final = {
    "pro_workorder": ["insert", "update"],
    "pro_workorder_source": ["insert"],
    "mes_job": ["insert", "update"],
}

_BAD_PLANT = Text(
    "{file} 不是完整的工厂描述：{problem}。",
    "{file} is no whole description of a plant: {problem}.",
)


def read_plant(file: Path) -> dict[str, Any]:
    """Read a plant's description; Config when it is not one."""
    try:
        plant: dict[str, Any] = json.loads(file.read_text("utf-8"))
        missing = {*_DATABASES, "crm"} - plant["systems"].keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = type(error).__name__
        raise Config("bad_plant", _BAD_PLANT, file=file, problem=problem) from error
    if missing:
        problem = ", ".join(sorted(missing))
        raise Config("bad_plant", _BAD_PLANT, file=file, problem=problem)
    return plant


def join(home: Path, plant: dict[str, Any]) -> None:
    """Write the connections of the plant's systems, with their secrets kept apart."""
    connections = Connections(home)
    connections.secrets.init()
    systems = plant["systems"]
    found = {code: _database(connections, code, systems[code]) for code in _DATABASES}
    found["mes"]["writes"] = _WRITES
    found["crm"] = _crm(connections, systems["crm"])
    connections.save(found)


def switch_flows_on(tenon: Tenon) -> None:
    """Let orders flow into the simulated MES, which takes work orders from Tenon.

    A flow that a person has switched on or off since stays as it is.
    """
    with tenon.hub.write() as tx:
        decided = switch.decided(tx)
        for flow in tenon.catalogue.of(Flow):
            if flow.code not in decided:
                switch.set_enabled(tx, flow.code, True, "demo")


def _database(connections: Connections, code: str, system: dict[str, Any]) -> dict[str, Any]:
    values = {"url": str(system["url"]), "encoding": system.get("encoding", "utf-8")}
    try:
        url = make_url(values["url"])
    except ArgumentError as error:
        raise Config("bad_plant", _BAD_PLANT, file="plant.json", problem=code) from error
    if url.password:
        connections.secrets.set(code, str(url.password))
        plain = url.set(password=None).render_as_string()
        values |= {"url": plain, "password": f"secret:{code}"}
    return values


def _crm(connections: Connections, system: dict[str, Any]) -> dict[str, Any]:
    connections.secrets.set("crm", _secret(system["token_file"]))
    parts = urlsplit(system.get("url") or system["base_url"])
    found = {"url": f"{parts.scheme}://{parts.netloc}", "token": "secret:crm"}
    found |= {"check_path": "/api/customers"}
    if "hook_secret_file" in system:
        connections.secrets.set("crm-hook", _secret(system["hook_secret_file"]))
        found |= {"hook_secret": "secret:crm-hook"}
    return found


def _secret(file: str) -> str:
    return Path(file).read_text("utf-8").strip()
