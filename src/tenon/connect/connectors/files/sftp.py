"""A folder of an SSH server.

Whom we talk to is known by the key of the host, which an administrator has written down: the
first connection only shows the key, so that it can be compared with the server's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import posixpath
import shutil
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import paramiko

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
_KEY = Text(
    "来源“{source}”（{address}）出示的主机密钥是 {found}，与登记的（{known}）不符。请向对方核对；"
    "确认无误后把它写入连接设置 host_key。",
    "The source “{source}” ({address}) shows the host key {found}, which is not the one written "
    "down ({known}). Compare it with the server's own; if it is right, write it as `host_key` in "
    "the connection's settings.",
)


@dataclass
class SftpFolder:
    """A folder over SFTP."""

    source: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str
    egress: Egress = field(repr=False)
    host_key: str | None = None  # SHA256:…, as ssh-keygen -l prints it
    _client: paramiko.SFTPClient | None = field(default=None, repr=False)
    _transport: paramiko.Transport | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """Host, port and folder."""
        return f"{self.host}:{self.port}{self.folder}"

    def entries(self, below: str | None = None) -> list[Entry]:
        """The plain files in it."""
        with self._session() as client:
            try:
                listed = client.listdir_attr(self._path(below) if below else self.folder)
            except FileNotFoundError:
                if below:
                    return []
                raise
        return [
            Entry(one.filename, one.st_size or 0, datetime.fromtimestamp(one.st_mtime or 0, UTC))
            for one in listed
            if stat.S_ISREG(one.st_mode or 0) and is_plain(one.filename)
        ]

    def fetch(self, name: str, to: Path) -> int:
        """Copy a file here."""
        with self._session() as client, to.open("wb") as here:
            with client.open(self._path(name), "rb") as there:
                there.prefetch()
                shutil.copyfileobj(there, here, CHUNK)
            return here.tell()

    def move(self, name: str, folder: str) -> None:
        """Move a file into a folder below."""
        with self._session() as client:
            self._make(client, folder)
            client.posix_rename(self._path(name), self._path(folder, name))

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a small file into a folder below."""
        with self._session() as client:
            self._make(client, folder)
            client.putfo(BytesIO(content), self._path(folder, name))

    def close(self) -> None:
        """End the connection."""
        transport, self._transport, self._client = self._transport, None, None
        if transport is not None:
            transport.close()

    def _path(self, *names: str) -> str:
        return posixpath.join(self.folder, *names)

    def _make(self, client: paramiko.SFTPClient, folder: str) -> None:
        with suppress(OSError):  # it is there already
            client.mkdir(self._path(folder))

    @contextmanager
    def _session(self) -> Iterator[paramiko.SFTPClient]:
        try:
            if self._client is None:
                self._client = self._signed_in()
            yield self._client
        except FileNotFoundError:
            raise
        except (OSError, EOFError, paramiko.SSHException) as error:
            self.close()
            problem = " ".join(str(error).split())[:200] or type(error).__name__
            raise unreachable(self.source, self.address, problem) from None

    def _signed_in(self) -> paramiko.SFTPClient:
        address = self.egress.admit(self.host, self.port)
        sock = socket.create_connection((address, self.port), _SECONDS)
        transport = self._transport = paramiko.Transport(sock)
        transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = _SECONDS
        transport.start_client(timeout=_SECONDS)
        self._refuse_another(transport.get_remote_server_key())  # before the password is sent
        try:
            transport.auth_password(self.user, self.password)
        except paramiko.AuthenticationException as error:
            self.close()
            raise login_refused(self.source, self.address, type(error).__name__) from None
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise paramiko.SSHException("no SFTP")
        channel = client.get_channel()
        if channel is not None:
            channel.settimeout(_SECONDS)
        try:
            client.stat(self.folder)
        except FileNotFoundError:
            self.close()
            raise no_folder(self.source, self.folder, "ENOENT") from None
        return client

    def _refuse_another(self, key: paramiko.PKey) -> None:
        digest = hashlib.sha256(key.asbytes()).digest()
        found = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
        if not hmac.compare_digest(found, self.host_key or ""):
            self.close()
            raise NeedsUser(
                "host_key", _KEY, source=self.source, address=self.address, found=found,
                known=self.host_key or "—",
            )  # fmt: skip
