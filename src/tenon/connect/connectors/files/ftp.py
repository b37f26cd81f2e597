"""FTP and FTPS: one guarded connection, data only from the host and the ports that are allowed."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any, BinaryIO, Final

from tenon.connect.connectors.files.address import Address
from tenon.connect.connectors.files.faults import BAD_SETTING, Faults
from tenon.connect.connectors.files.places import (
    MOST_ENTRIES,
    SECONDS,
    Entry,
    admitted,
    is_plain,
    joined,
)
from tenon.connect.contract import Egress
from tenon.kernel.errors import Config, TenonError

_BROKEN: Final = (OSError, EOFError, ftplib.Error)
_NOT_KNOWN: Final = ("500", "501", "502", "504")  # the server does not know the command


class _Guarded(ftplib.FTP_TLS):
    """A connection whose data comes from the very host it talks to, whatever that host says."""

    peer: str
    name: str
    ports: range
    secure: bool
    check: Callable[[ssl.SSLSocket], None]
    faults: Faults

    def makepasv(self) -> tuple[str, int]:
        """The place the data comes from: only its port is the server's to say."""
        _, port = super().makepasv()
        if port not in self.ports:
            raise self.faults.data_port(port, self.ports)
        return self.peer, port

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int]:
        """Open the data connection, under the same TLS session where there is one."""
        plain, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  TLS follows
        if not self.secure or not isinstance(self.sock, ssl.SSLSocket):
            return plain, size or 0
        try:
            wrapped = self.context.wrap_socket(
                plain, server_hostname=self.name, session=self.sock.session
            )
            self.check(wrapped)
        except BaseException:
            plain.close()
            raise
        return wrapped, size or 0


class FtpPlace:
    """A folder of an FTP server."""

    def __init__(self, address: Address, egress: Egress, faults: Faults) -> None:
        self._address, self._egress, self._faults = address, egress, faults
        self._open: _Guarded | None = None

    def list(self, folder: str) -> list[Entry]:
        """The plain files, by MLSD or, with servers that do not know it, one by one."""
        with self._session(folder) as ftp:
            path = self._path(folder)
            try:
                return admitted(_by_mlsd(ftp, path), folder, self._faults)
            except ftplib.error_perm as error:
                if not str(error).startswith(_NOT_KNOWN):
                    raise self._faults.folder(folder) from None
            return admitted(_by_names(ftp, path), folder, self._faults)

    def fetch(self, folder: str, entry: Entry, into: BinaryIO) -> bool:
        """Copy a file."""
        with self._session(folder) as ftp:
            try:
                ftp.retrbinary(f"RETR {self._path(folder, entry.told)}", into.write, 1 << 16)
            except ftplib.error_perm:
                return False  # it went, or may not be read: the next listing tells
            except TenonError:
                self.close()  # the rest of the file is still on its way
                raise
        return True

    def move(self, folder: str, entry: Entry, to: str, prefix: str) -> None:
        """Rename."""
        with self._session(folder) as ftp:
            self._make(ftp, to)
            try:
                ftp.rename(self._path(folder, entry.told), self._path(to, prefix + entry.told))
            except ftplib.error_perm:
                raise self._faults.no_move(entry.name, to) from None

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file."""
        with self._session(folder) as ftp:
            self._make(ftp, folder)
            try:
                ftp.storbinary(f"STOR {self._path(folder, _told(name))}", io.BytesIO(content))
            except ftplib.error_perm:
                raise self._faults.no_move(name, folder) from None

    def close(self) -> None:
        """Close the connection without waiting for an answer."""
        opened, self._open = self._open, None
        if opened is not None:
            with suppress(OSError):
                opened.close()

    def _path(self, folder: str, name: str = "") -> str:
        return "/" + joined(_told(self._address.folder), _told(folder), name)

    def _make(self, ftp: _Guarded, folder: str) -> None:
        for depth in range(1, folder.count("/") + 2):
            with suppress(ftplib.error_perm):  # it is there already
                ftp.mkd(self._path("/".join(folder.split("/")[:depth])))

    @contextmanager
    def _session(self, folder: str) -> Iterator[_Guarded]:
        try:
            if self._open is None:
                self._open = self._connected()
            yield self._open
        except TenonError:
            raise
        except _BROKEN as error:
            self.close()
            if isinstance(error, ftplib.error_perm):
                raise self._faults.folder(folder) from None
            raise self._faults.unreachable() from None

    def _connected(self) -> _Guarded:
        address = self._address
        ftp = _Guarded(timeout=SECONDS, encoding="latin-1", context=self._context())
        ftp.peer = self._egress.admit(address.host, address.port)
        ftp.name, ftp.ports, ftp.faults = address.host, address.ports, self._faults
        ftp.secure, ftp.check = address.scheme == "ftps", self._check
        try:
            ftp.connect(ftp.peer, address.port)
            self._sign_in(ftp)
        except BaseException:
            ftp.close()
            raise
        return ftp

    def _sign_in(self, ftp: _Guarded) -> None:
        if ftp.secure:
            ftp.host = self._address.host  # whose certificate it must be
            try:
                ftp.auth()
            except ssl.SSLCertVerificationError:
                found = self._shown_certificate()
                raise self._faults.certificate(found) from None
            except ftplib.error_perm:
                raise self._faults.certificate("no TLS") from None
            if isinstance(ftp.sock, ssl.SSLSocket):
                self._check(ftp.sock)
        user, password = _told(self._address.user or "anonymous"), _told(self._address.password)
        try:
            ftplib.FTP.login(ftp, user, password)  # noqa: S321  TLS is on by now
            if ftp.secure:
                ftp.prot_p()
            ftp.voidcmd("TYPE I")  # or SIZE is refused
        except ftplib.error_perm:
            raise self._faults.login() from None

    def _context(self) -> ssl.SSLContext:
        if self._address.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead
            return context
        try:
            return ssl.create_default_context(cafile=self._address.ca_file)
        except (OSError, ssl.SSLError):
            raise Config(
                "bad_setting", BAD_SETTING, source=self._faults.source, name="ca_file",
                value=self._address.ca_file, allowed="PEM",
            ) from None  # fmt: skip

    def _check(self, sock: ssl.SSLSocket) -> None:
        pinned = self._address.certificate
        if pinned is None:
            return
        found = _fingerprint(sock)
        if found != pinned:
            raise self._faults.certificate(found)

    def _shown_certificate(self) -> str:
        """The fingerprint of the certificate that was refused, for a person to compare."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with suppress(*_BROKEN), _Guarded(timeout=SECONDS, context=context) as ftp:
            ftp.connect(self._egress.admit(self._address.host, self._address.port),
                        self._address.port)  # fmt: skip
            ftp.auth()
            if isinstance(ftp.sock, ssl.SSLSocket):
                return _fingerprint(ftp.sock)
        return "—"


def _fingerprint(sock: ssl.SSLSocket) -> str:
    return "sha256:" + sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()


def _by_mlsd(ftp: _Guarded, path: str) -> Iterator[Entry]:
    for told, facts in islice(ftp.mlsd(path), MOST_ENTRIES * 2):
        if facts.get("type", "").casefold() == "file":
            size = facts.get("size", "")
            yield Entry(_name(told), int(size) if size.isdigit() else -1,
                        _moment(facts.get("modify", "")), told)  # fmt: skip


def _by_names(ftp: _Guarded, path: str) -> Iterator[Entry]:
    listed: list[str] = []

    def note(line: str) -> None:
        if len(listed) <= MOST_ENTRIES:
            listed.append(line)

    ftp.cwd(path)  # many of them take what stands behind NLST for options
    try:
        ftp.retrlines("NLST", note)
    except ftplib.error_perm as error:
        if not str(error).startswith("550"):  # how some say that there are no files
            raise
    ftp.voidcmd("TYPE I")
    for told in listed:
        size, modified = _asked(ftp, path, told)
        if size is not None:
            yield Entry(_name(told), size, modified, told)


def _asked(ftp: _Guarded, path: str, told: str) -> tuple[int | None, datetime | None]:
    if not is_plain(_name(told)):
        return None, None
    place = f"{path.rstrip('/')}/{told}"
    try:
        size = ftp.size(place)
    except ftplib.error_perm:
        return None, None  # a folder
    try:
        return size, _moment(ftp.sendcmd(f"MDTM {place}")[4:].strip())
    except ftplib.error_perm:
        return size, None


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _name(told: str) -> str:
    """A name as people read it: its bytes are UTF-8 or, on old servers, GB18030."""
    raw = told.encode("latin-1")
    for encoding in ("utf-8", "gb18030"):
        with suppress(UnicodeDecodeError):
            return raw.decode(encoding)
    return told


def _told(name: Any) -> str:
    """A text as it goes over a connection that knows bytes only."""
    return str(name).encode().decode("latin-1")
