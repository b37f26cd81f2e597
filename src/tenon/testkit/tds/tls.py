"""TLS as TDS does it: the handshake travels inside prelogin packets, then TLS carries packets."""

from __future__ import annotations

import ssl
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tenon.testkit.tds import wire

_CHUNK: Final = 16384


def context(*, only_tls1: bool) -> ssl.SSLContext:
    """A server's settings with a certificate of its own; `only_tls1` as SQL Server 2008 has it."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # What such old servers offer, today's defaults refuse.
    found.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point here
        found.minimum_version = ssl.TLSVersion.TLSv1
        # Inside prelogin packets there is no TLS 1.3.
        found.maximum_version = ssl.TLSVersion.TLSv1 if only_tls1 else ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "server.pem"
        place.write_bytes(_certificate())
        found.load_cert_chain(place)
    return found


def _certificate() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SSL_Self_Signed_Fallback")])
    day = datetime(2020, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(day).not_valid_after(day + timedelta(days=365 * 60))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    own = key.private_bytes(
        pem, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return own + made.public_bytes(pem)


class Secured:
    """TLS over a client's connection."""

    def __init__(self, stream: wire.Stream, settings: ssl.SSLContext) -> None:
        self._stream = stream
        self._come, self._go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = settings.wrap_bio(self._come, self._go, server_side=True)

    def handshake(self) -> None:
        """Agree, inside prelogin packets; Closed when the client and we cannot."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._come.write(wire.read_message(self._stream)[1])
            except ssl.SSLError:
                self._flush()
                raise wire.Closed from None
            else:
                self._flush()
                return

    def _flush(self) -> None:
        if data := self._go.read():
            self._stream.sendall(wire.packet(wire.PRELOGIN, data))

    def recv(self, size: int) -> bytes:
        """Bytes that were encrypted."""
        while True:
            try:
                return self._tls.read(size)
            except ssl.SSLWantReadError:
                more = self._stream.recv(_CHUNK)
                if not more:
                    return b""
                self._come.write(more)
            except ssl.SSLError:
                return b""

    def sendall(self, data: bytes) -> None:
        """Encrypt and send."""
        for at in range(0, len(data), _CHUNK):
            self._tls.write(data[at : at + _CHUNK])
            self._stream.sendall(self._go.read())
