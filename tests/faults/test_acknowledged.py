"""kill -9 while people save: what they were told is saved is there afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from tenon.access import accounts
from tenon.assembly import open_tenon
from tenon.assembly.home import HomeSettings, write_settings

pytestmark = [pytest.mark.deep, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
SAVING = """
import sys
from itertools import count
from pathlib import Path
from tenon.access import accounts
from tenon.assembly import open_tenon

with open_tenon(Path(sys.argv[1])) as tenon:
    for number in count():
        name = f"p{sys.argv[2]}-{number}"
        accounts.create(tenon.hub, tenon.catalogue, name, name, "worker", must_change=True)
        print(name, flush=True)
"""


def _save_until_killed(home: Path, life: int) -> list[str]:
    """Save until some saves were acknowledged, then kill; return what was acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", SAVING, str(home), str(life)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline().strip() for _ in range(5 + life)]
        process.send_signal(signal.SIGKILL)
        late = process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL
    return [*seen, *late]


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_what_was_acknowledged_survives_a_kill(hub_url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = HomeSettings(hub=hub_url if hub_url.startswith("postgresql") else None)
    write_settings(home, settings)
    acknowledged = [name for life in range(3) for name in _save_until_killed(home, life)]
    assert len(acknowledged) >= 18
    with open_tenon(home) as tenon, tenon.hub.read() as connection:
        kept = {account.username for account in accounts.accounts(connection)}
        if connection.dialect.name == "sqlite":
            assert connection.scalar(sa.text("PRAGMA integrity_check")) == "ok"
    assert set(acknowledged) <= kept
    # At most the one save that each kill cut off was done and not yet told.
    assert len(kept - set(acknowledged)) <= 3
