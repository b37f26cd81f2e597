"""A PostgreSQL of the test's own, which it may crash and start again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.servers import ServerMissing, free_port


@dataclass
class OwnPostgres:
    """One cluster; `crash` ends it as a power cut ends the server's processes."""

    programs: Path
    data: Path
    port: int
    user: str | None
    settings: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        said = ("listen_addresses=127.0.0.1", f"unix_socket_directories={self.data}")
        options = [word for one in (*said, *self.settings) for word in ("-c", one)]
        with (self.data.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "postgres", "-D", self.data, "-p", str(self.port), *options],
                stdout=log, stderr=log, user=self.user, start_new_session=True,
            )  # fmt: skip
        engine = sa.create_engine(self.url, poolclass=NullPool)
        until = time.monotonic() + 60
        while True:
            try:
                with engine.connect():
                    return
            except OperationalError:
                assert self._process.poll() is None, (self.data.parent / "log").read_text()
                assert time.monotonic() < until
                time.sleep(0.05)

    def crash(self) -> None:
        """End it at once: no checkpoint, every connection is lost, the log is replayed next."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)


@contextmanager
def own_postgres(*settings: str) -> Iterator[OwnPostgres]:
    """A fresh cluster that runs until the end of the block."""
    found = [*Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    on_path = shutil.which("postgres")
    if not found and on_path is None:
        raise ServerMissing("PostgreSQL's programs are not installed")
    programs = max(found).parent if found else Path(str(on_path)).parent
    user = "postgres" if os.name == "posix" and os.getuid() == 0 else None  # it refuses root
    with tempfile.TemporaryDirectory(prefix="tenon-own-postgres-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the account that the server runs as comes in here
        data = home / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(data, user)
        subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"],
            check=True, capture_output=True, user=user, cwd=data,
        )  # fmt: skip
        one = OwnPostgres(programs, data, free_port(), user, settings)
        one.start()
        try:
            yield one
        finally:
            one.crash()
