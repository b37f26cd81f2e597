"""Where a plant's files are, and how they are replaced; imports nothing heavy."""

import json
import os
from pathlib import Path
from typing import Any

CRM_PORT = 8811


def path_of(home: Path, system: str) -> Path:
    """Return the SQLite file of a system."""
    return home / "crm" / "crm.db" if system == "crm" else home / f"{system}.db"


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a JSON file at once, so that a reader never sees half of it."""
    passing = path.with_name(f"{path.name}.{os.getpid()}.new")
    passing.write_text(json.dumps(values, ensure_ascii=False, indent=2), encoding="utf-8")
    passing.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return the values of a JSON file."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values
