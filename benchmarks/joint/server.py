"""The database servers beside a measurement: their versions, the CPU they use."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg

from benchmarks.joint.home import POSTGRES, cpu_seconds


def postgres_cpu() -> float:
    """CPU seconds of all PostgreSQL processes of this machine, of those that ended too."""
    try:
        with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=3) as server:
            row = server.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
            folder = (row.fetchone() or ("",))[0]
        pid = int((Path(folder) / "postmaster.pid").read_text("ascii").split()[0])
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    except (OSError, ValueError, psycopg.Error):
        return 0.0  # on another machine, or not ours to look at
    ended = (int(fields[13]) + int(fields[14])) / 100
    living = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent(path) == pid]
    return ended + cpu_seconds(pid) + sum(map(cpu_seconds, living))


def postgres_version() -> str:
    """The version of the server."""
    with psycopg.connect(POSTGRES) as server:
        row = server.execute("SHOW server_version").fetchone()
    return str(row[0]).split(" ", maxsplit=1)[0] if row else "-"


def sqlite_version() -> str:
    """The version of the library."""
    return sqlite3.sqlite_version


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text("ascii").rsplit(")", 1)[1].split()[1])
    except (OSError, ValueError):
        return 0
