"""A MariaDB of the test's own, with a binlog, which it may crash and start again."""

from __future__ import annotations

import os
import secrets
import shutil
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

BINLOG = ("--log-bin=b", "--server-id=1", "--binlog-format=ROW", "--binlog-row-metadata=FULL")


@dataclass
class OwnMariadb:
    """One server; `crash` ends it as a power cut would, `run` runs statements as root."""

    program: str
    data: Path
    port: int
    user: str | None
    settings: tuple[str, ...]
    _process: subprocess.Popen[bytes] | None = None

    def url(self, database: str, user: str = "root", password: str = "") -> str:
        """The address of one of its databases."""
        who = f"{user}:{password}" if password else user
        return f"mysql+pymysql://{who}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "mysql") -> None:
        """Run statements as root, each committed at once."""
        engine = sa.create_engine(
            self.url(database), poolclass=NullPool, isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def fresh(self) -> str:
        """The name of a new, empty database."""
        name = f"t_{secrets.token_hex(4)}"
        self.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def start(self) -> None:
        """Start it and wait until it answers."""
        where = [f"--datadir={self.data}", f"--socket={self.data}/s", f"--port={self.port}",
                 f"--pid-file={self.data}/pid", "--bind-address=127.0.0.1"]  # fmt: skip
        log = self.data.parent / "log"
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [self.program, "--no-defaults", *where, *self.settings],
                stdout=out, stderr=out, user=self.user, start_new_session=True,
            )  # fmt: skip
        until = time.monotonic() + 60
        while True:
            try:
                self.run("SELECT 1")
            except OperationalError:
                assert self._process.poll() is None, log.read_text()
                assert time.monotonic() < until
                time.sleep(0.05)
            else:
                return

    def crash(self) -> None:
        """End it at once; its log is replayed at the next start."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(30)


@contextmanager
def own_mariadb(*settings: str) -> Iterator[OwnMariadb]:
    """A fresh server that runs until the end of the block."""
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if program is None or install is None:
        raise ServerMissing("MariaDB's programs are not installed")
    user = "mysql" if os.name == "posix" and os.getuid() == 0 else None  # it refuses root
    with tempfile.TemporaryDirectory(prefix="tenon-own-mariadb-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # the account that the server runs as comes in here
        data = home / "data"
        data.mkdir(mode=0o700)
        if user is not None:
            shutil.chown(data, user)
        subprocess.run(
            [install, "--no-defaults", f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True, user=user, cwd="/",
        )  # fmt: skip
        one = OwnMariadb(program, data, free_port(), user, settings or BINLOG)
        one.start()
        try:
            yield one
        finally:
            one.crash()
