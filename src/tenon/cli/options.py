"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path,
    typer.Option(
        "--home", envvar="TENON_HOME", help="Tenon 目录 / the Tenon home", file_okay=False
    ),
]
HERE = Path("tenon-home")
