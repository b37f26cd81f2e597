"""Real FTP, FTPS and SFTP servers over a folder, in this process."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

import paramiko
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_OK
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

USER, PASSWORD = "tenon", "right-word"


@contextmanager
def ftp_server(folder: Path, certificate: Path | None = None, **more: Any) -> Iterator[int]:
    """An FTP server (with TLS when there is a certificate); its port."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    base: Any = TLS_FTPHandler if certificate else FTPHandler
    handler: Any = type("Handler", (base,), {"authorizer": authorizer, **more})
    if certificate:
        handler.certfile = str(certificate)
        handler.tls_control_required = handler.tls_data_required = True
    server = ThreadedFTPServer(("127.0.0.1", 0), handler)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            server.serve_forever(timeout=0.1, blocking=False)
        server.close_all()  # on the thread that waits on its sockets

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        over.set()
        thread.join(10)


def certificate(folder: Path) -> Path:
    """A certificate of localhost that nobody has signed, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    return path


class _Door(paramiko.ServerInterface):
    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_auth_password(self, username: str, password: str) -> int:
        right = (username, password) == (USER, PASSWORD)
        return AUTH_SUCCESSFUL if right else AUTH_FAILED


def _told(action: Callable[[], Any]) -> Any:
    """The answer, or the error as SFTP numbers it."""
    try:
        return action()
    except OSError as error:
        return paramiko.SFTPServer.convert_errno(error.errno or 0)


class _Handle(paramiko.SFTPHandle):
    """An open file; paramiko reads and writes `readfile` and `writefile`."""

    readfile: Any

    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Folder(paramiko.SFTPServerInterface):
    """A folder over SFTP; `root` is set in a class of each server."""

    root: ClassVar[Path]

    def _real(self, path: str) -> Path:
        return Path(f"{self.root}{self.canonicalize(path)}")

    def list_folder(self, path: str) -> Any:
        return _told(
            lambda: [
                paramiko.SFTPAttributes.from_stat(one.lstat(), one.name)
                for one in self._real(path).iterdir()
            ]
        )

    def stat(self, path: str) -> Any:
        return _told(lambda: paramiko.SFTPAttributes.from_stat(self._real(path).stat()))

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        def opened() -> paramiko.SFTPHandle:
            handle: Any = _Handle(flags)
            mode = "wb" if flags & (os.O_WRONLY | os.O_RDWR) else "rb"
            handle.readfile = handle.writefile = self._real(path).open(mode)
            found: paramiko.SFTPHandle = handle
            return found

        return _told(opened)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        def renamed() -> int:
            self._real(oldpath).replace(self._real(newpath))
            return SFTP_OK

        return int(_told(renamed))

    def mkdir(self, path: str, attr: Any) -> int:
        def made() -> int:
            self._real(path).mkdir()
            return SFTP_OK

        return int(_told(made))


@contextmanager
def sftp_server(folder: Path) -> Iterator[tuple[int, str]]:
    """An SFTP server; its port and the fingerprint of its key."""
    key = paramiko.ECDSAKey.generate()
    digest = base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
    door, transports, over = socket.create_server(("127.0.0.1", 0)), [], threading.Event()

    def answer() -> None:
        while not over.is_set():
            with suppress(OSError, EOFError, paramiko.SSHException):
                sock, _ = door.accept()
                transport = paramiko.Transport(sock)
                transports.append(transport)
                transport.add_server_key(key)
                served = type("Served", (_Folder,), {"root": folder})
                transport.set_subsystem_handler("sftp", paramiko.SFTPServer, served)
                transport.start_server(server=_Door())

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield door.getsockname()[1], f"SHA256:{digest}"
    finally:
        over.set()
        with suppress(OSError):
            door.shutdown(socket.SHUT_RDWR)
        door.close()
        for transport in transports:
            transport.close()
        thread.join(5)
