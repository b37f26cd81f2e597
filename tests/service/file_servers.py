"""Real FTP, FTPS and SFTP servers over a folder, for the block of a test."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_OK, SFTP_PERMISSION_DENIED

from tenon.connect.connectors.files import FilesConnector
from tenon.connect.connectors.files.sftp import fingerprint
from tenon.connect.contract import ConnectorSettings
from tenon.connect.egress import guard

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_FTPHandler
    from pyftpdlib.servers import FTPServer

PASSWORD = "s3cret-canary"


@dataclass
class Served:
    """A server over a folder."""

    scheme: str
    port: int
    folder: Path
    pin: dict[str, str]  # how it proves itself

    def connector(self, port: int | None = None, **values: Any) -> FilesConnector:
        return open_files(f"{self.scheme}://tenon@127.0.0.1:{port or self.port}/",
                          **({"password": PASSWORD} | self.pin | values))  # fmt: skip


def open_files(
    url: str, *, page_rows: int = 33, listed: bool = True, **values: Any
) -> FilesConnector:
    """A connector for an address, whose host and port are listed."""
    host, port = "127.0.0.1", 0
    with suppress(ValueError, IndexError):
        port = int(url.split("@")[1].split("/", maxsplit=1)[0].split(":")[1])
    places = [(host, port)] if port and listed else []
    return FilesConnector(
        ConnectorSettings(
            "legacy", {"url": url, "stable_seconds": 0, **values}, guard("legacy", places)
        ),
        page_rows,
    )


@contextmanager
def ftp(
    folder: Path, *, tls: bool = False, perm: str = "elradfmw", **traits: Any
) -> Iterator[Served]:
    """An FTP server, with `traits` of its handler (`dtp_…`: of its data handler) changed."""
    base = TLS_FTPHandler if tls else FTPHandler
    data = {k.removeprefix("dtp_"): v for k, v in traits.items() if k.startswith("dtp_")}
    own = {k: v for k, v in traits.items() if not k.startswith("dtp_")}
    handler: Any = type("Handler", (base,), own)
    if data:
        handler.dtp_handler = type("Data", (DTPHandler,), data)
    authorizer = DummyAuthorizer()
    authorizer.add_user("tenon", PASSWORD, str(folder), perm=perm)
    handler.authorizer = authorizer
    handler.auth_failed_timeout = 0
    pin = {}
    if tls:
        file = certificate()
        handler.certfile = str(file)
        handler.tls_control_required = handler.tls_data_required = True
        pin["certificate"] = pin_of(file)
    server = FTPServer(("127.0.0.1", 0), handler)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.serve_forever(timeout=0.01, blocking=False)
        server.close_all()  # on the thread that waits on its sockets

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield Served("ftps" if tls else "ftp", server.address[1], folder, pin)
    finally:
        stop.set()
        thread.join(5)


@lru_cache(maxsize=1)
def certificate() -> Path:
    """A self-signed certificate of this machine, with its key, in one file."""
    import tempfile  # noqa: PLC0415  made once, for whoever asks

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "files.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                       critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = Path(tempfile.mkdtemp(prefix="tenon-test-")) / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return path


def pin_of(file: Path) -> str:
    """The fingerprint of a certificate."""
    found = ssl.PEM_cert_to_DER_cert(
        file.read_text("ascii").partition("-----END PRIVATE KEY-----\n")[2]
    )
    return "sha256:" + sha256(found).hexdigest()


HOST_KEY = paramiko.ECDSAKey.generate()


class _Door(paramiko.ServerInterface):
    def __init__(self, asked: list[str]) -> None:
        self._asked = asked

    def check_auth_password(self, username: str, password: str) -> int:
        self._asked.append(password)
        right = (username, password) == ("tenon", PASSWORD)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED

    def check_channel_request(self, kind: str, _chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else 1


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))  # type: ignore[attr-defined]


class _Files(paramiko.SFTPServerInterface):
    root: Path
    names: tuple[str, ...] = ()  # listed though they are not there
    read_only = False

    def _at(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> Any:
        try:
            found = []
            for one in self._at(path).iterdir():
                attributes = paramiko.SFTPAttributes.from_stat(one.lstat(), one.name)
                found.append(attributes)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        for name in self.names:
            fake = paramiko.SFTPAttributes.from_stat(os.lstat(__file__), name)
            found.append(fake)
        return found

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._at(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def lstat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._at(path).lstat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def open(self, path: str, flags: int, _attr: Any) -> Any:
        if flags & (os.O_WRONLY | os.O_RDWR) and self.read_only:
            return SFTP_PERMISSION_DENIED
        try:
            writing = bool(flags & (os.O_WRONLY | os.O_RDWR))
            file = self._at(path).open("wb" if writing else "rb")
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = _Handle(flags)
        handle.readfile = handle.writefile = file  # type: ignore[attr-defined]
        return handle

    def rename(self, oldpath: str, newpath: str) -> int:
        if self.read_only:
            return SFTP_PERMISSION_DENIED
        try:
            self._at(oldpath).rename(self._at(newpath))
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return SFTP_OK

    def mkdir(self, path: str, _attr: Any) -> int:
        if self.read_only:
            return SFTP_PERMISSION_DENIED
        try:
            self._at(path).mkdir()
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return SFTP_OK


@contextmanager
def sftp(folder: Path, asked: list[str] | None = None, **traits: Any) -> Iterator[Served]:
    """An SFTP server; `asked` is told the passwords that were tried."""
    files = type("Files", (_Files,), {"root": folder, **traits})
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stop = threading.Event()
    transports: list[paramiko.Transport] = []

    def serve() -> None:
        while not stop.is_set():
            try:
                client, _ = listener.accept()
            except OSError:
                continue
            transport = paramiko.Transport(client)
            transports.append(transport)
            transport.add_server_key(HOST_KEY)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            with suppress(paramiko.SSHException, EOFError):
                transport.start_server(
                    server=_Door([] if asked is None else asked), event=threading.Event()
                )

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        pin = {"host_key": fingerprint(HOST_KEY)}
        yield Served("sftp", listener.getsockname()[1], folder, pin)
    finally:
        stop.set()
        thread.join(5)
        for transport in transports:
            transport.close()
        listener.close()
