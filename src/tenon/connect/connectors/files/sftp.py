"""SFTP: the server's key is compared before anything secret is sent."""

from __future__ import annotations

import base64
import errno
import io
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import BinaryIO, Final

import paramiko

from tenon.connect.connectors.files.address import Address
from tenon.connect.connectors.files.faults import BAD_SETTING, Faults
from tenon.connect.connectors.files.places import SECONDS, Entry, admitted, joined
from tenon.connect.contract import Egress
from tenon.kernel.errors import Config, TenonError

_PIECE: Final = 1 << 15
_KEYS: Final = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class SftpPlace:
    """A folder of an SFTP server."""

    def __init__(self, address: Address, egress: Egress, faults: Faults) -> None:
        self._address, self._egress, self._faults = address, egress, faults
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None

    def list(self, folder: str) -> list[Entry]:
        """The plain files; links are not followed."""
        with self._session(folder) as client:
            return admitted(_entries(client.listdir_iter(self._path(folder))), folder, self._faults)

    def fetch(self, folder: str, entry: Entry, into: BinaryIO) -> bool:
        """Copy a file."""
        with self._session(folder) as client:
            path = self._path(folder, entry.name)
            try:
                if not stat.S_ISREG(client.lstat(path).st_mode or 0):
                    return False
                with client.open(path, "rb") as file:
                    while piece := file.read(_PIECE):
                        into.write(piece)
            except (FileNotFoundError, PermissionError):
                return False
        return True

    def move(self, folder: str, entry: Entry, to: str, prefix: str) -> None:
        """Rename."""
        with self._session(folder) as client:
            self._make(client, to)
            try:
                client.rename(self._path(folder, entry.name), self._path(to, prefix + entry.name))
            except OSError as error:
                raise self._moving(error, entry.name, to) from None

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file."""
        with self._session(folder) as client:
            self._make(client, folder)
            try:
                with client.open(self._path(folder, name), "wb") as file:
                    file.write(content)
            except OSError as error:
                raise self._moving(error, name, folder) from None

    def close(self) -> None:
        """Close the connection."""
        transport, self._transport, self._client = self._transport, None, None
        if transport is not None:
            transport.close()

    def _path(self, folder: str, name: str = "") -> str:
        return "/" + joined(self._address.folder, folder, name)

    def _make(self, client: paramiko.SFTPClient, folder: str) -> None:
        for depth in range(1, folder.count("/") + 2):
            path = self._path("/".join(folder.split("/")[:depth]))
            with suppress(OSError):  # it is there already
                client.mkdir(path)

    def _moving(self, error: OSError, name: str, folder: str) -> TenonError:
        if _is_broken(error):
            return self._faults.unreachable()
        return self._faults.no_move(name, folder)

    @contextmanager
    def _session(self, folder: str) -> Iterator[paramiko.SFTPClient]:
        try:
            if self._client is None:
                self._client = self._connected()
            yield self._client
        except TenonError:
            raise
        except (OSError, EOFError, paramiko.SSHException, UnicodeDecodeError) as error:
            self.close()
            if isinstance(error, FileNotFoundError | PermissionError | UnicodeDecodeError):
                raise self._faults.folder(folder) from None
            raise self._faults.unreachable() from None

    def _connected(self) -> paramiko.SFTPClient:
        address = self._address
        peer = self._egress.admit(address.host, address.port)
        sock = socket.create_connection((peer, address.port), SECONDS)
        try:
            self._transport = transport = paramiko.Transport(sock)
        except BaseException:
            sock.close()
            raise
        try:
            transport.banner_timeout = transport.auth_timeout = SECONDS
            transport.start_client(timeout=SECONDS)
            self._compare(transport.get_remote_server_key())
            self._sign_in(transport)
            channel = transport.open_session(timeout=SECONDS)
            channel.settimeout(SECONDS)
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)
        except BaseException:
            self.close()
            raise

    def _compare(self, key: paramiko.PKey) -> None:
        found = fingerprint(key)
        pinned = self._address.host_key
        if found != pinned:
            raise self._faults.host_key(found, pinned or "—")

    def _sign_in(self, transport: paramiko.Transport) -> None:
        address = self._address
        try:
            if address.private_key:
                transport.auth_publickey(address.user, self._key(address.private_key))
            else:
                transport.auth_password(address.user, address.password, fallback=False)
        except paramiko.AuthenticationException:
            raise self._faults.login() from None

    def _key(self, text: str) -> paramiko.PKey:
        for kind in _KEYS:
            with suppress(paramiko.SSHException, ValueError, IndexError):
                key: paramiko.PKey = kind.from_private_key(io.StringIO(text))
                return key
        raise Config(
            "bad_setting", BAD_SETTING, source=self._faults.source, name="private_key",
            value="…", allowed="OpenSSH / PEM",
        )  # fmt: skip


def fingerprint(key: paramiko.PKey) -> str:
    """A key as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(sha256(key.asbytes()).digest()).decode().rstrip("=")


def _entries(listed: Iterator[paramiko.SFTPAttributes]) -> Iterator[Entry]:
    for one in listed:
        if stat.S_ISREG(one.st_mode or 0):
            at = datetime.fromtimestamp(one.st_mtime, UTC) if one.st_mtime is not None else None
            yield Entry(one.filename, -1 if one.st_size is None else one.st_size, at)


def _is_broken(error: OSError) -> bool:
    return isinstance(error, ConnectionError | TimeoutError | EOFError) or error.errno in {
        errno.EPIPE, errno.ECONNRESET,
    }  # fmt: skip
