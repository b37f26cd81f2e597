"""A folder of an FTP server, in the clear or over TLS.

The data connection goes to the host of the control connection, whatever address the server
names: it could name any other (the attack is called FTP bounce).
"""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from tenon.connect.connectors.files.place import (
    CHUNK,
    Entry,
    is_plain,
    login_refused,
    no_folder,
    unreachable,
)
from tenon.connect.contract import Egress
from tenon.kernel.errors import NeedsUser
from tenon.kernel.text import Text

_SECONDS: Final = 30.0
_CERTIFICATE = Text(
    "来源“{source}”（{address}）的证书不可信：{problem}。若确认是自己的服务器，"
    "请把它的证书文件写入连接设置 ca_file。",
    "The certificate of the source “{source}” ({address}) is not trusted: {problem}. If it is your "
    "own server, name its certificate's file as `ca_file` in the connection's settings.",
)


@dataclass
class FtpFolder:
    """A folder over FTP; `secure` with TLS for commands and data."""

    source: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str
    egress: Egress = field(repr=False)
    secure: bool = False
    ca_file: str | None = None
    names: str = "utf-8"
    _ftp: ftplib.FTP | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Host, port and folder."""
        return f"{self.host}:{self.port}{self.folder}"

    def entries(self, below: str | None = None) -> list[Entry]:
        """The plain files in it."""
        with self._session() as ftp:
            try:
                return self._listed(ftp, below or "")
            except ftplib.error_perm as error:
                if below and str(error).startswith("550"):
                    return []
                if str(error)[:3] not in {"500", "501", "502", "504"}:
                    raise
            return self._listed_one_by_one(ftp, below)  # an old server without MLSD

    def fetch(self, name: str, to: Path) -> int:
        """Copy a file here."""
        with self._session() as ftp, to.open("wb") as here:
            with _gone(name):
                ftp.retrbinary(f"RETR {name}", here.write, CHUNK)
            return here.tell()

    def move(self, name: str, folder: str) -> None:
        """Move a file into a folder below."""
        with self._session() as ftp:
            with suppress(ftplib.error_perm):  # it is there already
                ftp.mkd(folder)
            with suppress(ftplib.error_perm):  # some servers do not rename over a file
                ftp.delete(f"{folder}/{name}")
            with _gone(name):
                ftp.rename(name, f"{folder}/{name}")

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file into a folder below."""
        with self._session() as ftp:
            with suppress(ftplib.error_perm):
                ftp.mkd(folder)
            ftp.storbinary(f"STOR {folder}/{name}", BytesIO(content))

    def close(self) -> None:
        """End the connection."""
        ftp, self._ftp = self._ftp, None
        if ftp is not None:
            with suppress(OSError, EOFError, ftplib.Error):
                ftp.close()

    def _listed(self, ftp: ftplib.FTP, below: str) -> list[Entry]:
        found = []
        for name, facts in ftp.mlsd(below, facts=["type", "size", "modify"]):
            if facts.get("type") == "file" and is_plain(name) and "modify" in facts:
                found.append(Entry(name, int(facts.get("size", -1)), _moment(facts["modify"])))
        return found

    def _listed_one_by_one(self, ftp: ftplib.FTP, below: str | None) -> list[Entry]:
        found = []
        for listed in ftp.nlst(*([below] if below else [])):
            name = listed.rsplit("/", 1)[-1]
            path = f"{below}/{name}" if below else name
            if not is_plain(name):
                continue
            with suppress(ftplib.error_perm):  # a folder has neither size nor time
                ftp.voidcmd("TYPE I")  # else SIZE is refused
                size = ftp.size(path)
                changed = ftp.sendcmd(f"MDTM {path}").split()[-1]
                if size is not None:
                    found.append(Entry(name, size, _moment(changed)))
        return found

    @contextmanager
    def _session(self) -> Iterator[ftplib.FTP]:
        try:
            if self._ftp is None:
                self._ftp = self._signed_in()
            yield self._ftp
        except (OSError, EOFError, ftplib.Error) as error:
            if isinstance(error, FileNotFoundError):
                raise
            self.close()
            raise self._explained(error) from None

    def _signed_in(self) -> ftplib.FTP:
        address = self.egress.admit(self.host, self.port)
        ftp = self._made()
        try:
            ftp.connect(address, self.port, timeout=_SECONDS)
            ftp.host = self.host  # whose certificate it must show
            try:
                ftp.login(self.user, self.password)
            except ftplib.error_perm as error:
                problem = self._without_secret(error)
                raise login_refused(self.source, self.address, problem) from None
            if isinstance(ftp, ftplib.FTP_TLS):
                ftp.prot_p()
            self._enter(ftp)
        except BaseException:
            ftp.close()
            raise
        return ftp

    def _enter(self, ftp: ftplib.FTP) -> None:
        try:
            ftp.cwd(self.folder)
        except ftplib.error_perm as error:
            raise no_folder(self.source, self.folder, self._without_secret(error)) from None

    def _made(self) -> ftplib.FTP:
        if not self.secure:
            return ftplib.FTP(encoding=self.names)  # noqa: S321  plants have such servers
        context = ssl.create_default_context(cafile=self.ca_file)
        return _Tls(context=context, encoding=self.names)

    def _explained(self, error: Exception) -> Exception:
        if isinstance(error, ssl.SSLCertVerificationError):
            return NeedsUser(
                "certificate", _CERTIFICATE, source=self.source, address=self.address,
                problem=error.verify_message,
            )  # fmt: skip
        return unreachable(self.source, self.address, self._without_secret(error))

    def _without_secret(self, error: Exception) -> str:
        text = " ".join(str(error).split())[:200] or type(error).__name__
        return text.replace(self.password, "…") if self.password else text


class _Tls(ftplib.FTP_TLS):
    """FTP over TLS whose data connections go on with the session of the commands.

    Many servers insist on that, so that nobody else can take a transfer over.
    """

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[ssl.SSLSocket, int | None]:
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  it is wrapped next
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        wrapped = self.context.wrap_socket(plain, server_hostname=self.host, session=session)
        return wrapped, size


@contextmanager
def _gone(name: str) -> Iterator[None]:
    """Say of a file that is not there that it is not there."""
    try:
        yield
    except ftplib.error_perm as error:
        if str(error).startswith("550"):
            raise FileNotFoundError(name) from None
        raise


def _moment(text: str) -> datetime:
    """A time as FTP writes it: UTC, `20260131083000[.123]`."""
    return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
