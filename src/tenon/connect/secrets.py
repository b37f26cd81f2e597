"""Secrets of connections: encrypted in one file, with a key kept outside the database.

A secret belongs to the place it was first used for. When the address of its connection changes,
it is not sent to the new one before somebody who knows it has entered it again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from tenon.kernel.errors import Config, NeedsUser
from tenon.kernel.text import Text

_NO_SECRET = Text(
    "没有名为“{name}”的密钥；请用“tenon secret set {name}”设置。",
    "There is no secret “{name}”; set it with “tenon secret set {name}”.",
)
_WRONG_KEY = Text(
    "密钥文件与已保存的密码不匹配；请恢复原来的密钥文件 {file}，或重新设置密码。",
    "The key file does not fit the stored secrets. Restore the original {file}, or set the "
    "secrets again.",
)
_KEY_LOST = Text(
    "找不到密钥文件 {file}，已保存的密码无法读取；请从备份恢复该文件。",
    "The key file {file} is missing, so the stored secrets cannot be read. Restore it from the "
    "backup.",
)

_ELSEWHERE = Text(
    "密钥“{name}”属于 {place}，不会发送到 {other}。如果地址确实变了，请重新输入："
    "tenon secret set {name}",
    "The secret “{name}” belongs to {place} and is not sent to {other}. If the address has really "
    "changed, enter it again: tenon secret set {name}",
)

_log = logging.getLogger(__name__)


class Secrets:
    """Named secrets in `secrets.json` under a key in `secret.key`, both for the owner only."""

    def __init__(self, home: Path) -> None:
        self._key_file = home / "secret.key"
        self._file = home / "secrets.json"
        # Apart from the secrets, so that noting a place can never undo a secret just entered.
        self._places_file = home / "secret-places.json"

    def init(self) -> None:
        """Make the key file of a new installation; an existing key is kept."""
        if self._key_file.exists():
            return
        if self._file.exists():
            raise Config("key_lost", _KEY_LOST, file=self._key_file.name)
        _write(self._key_file, Fernet.generate_key())

    def set(self, name: str, value: str) -> None:
        """Keep a secret under a name; it will belong to the place where it is used next."""
        self.init()
        kept = self._kept() | {name: self._fernet().encrypt(value.encode()).decode()}
        _write(self._file, json.dumps(kept, indent=1, sort_keys=True).encode())

    def get(self, name: str, place: str | None = None) -> str:
        """The secret, or Config when there is none or the key does not fit.

        With `place` it is about to be sent there: NeedsUser when it belongs to another.
        """
        token = self._kept().get(name)
        if token is None:
            raise Config("no_secret", _NO_SECRET, name=name)
        try:
            value = self._fernet().decrypt(token.encode()).decode()
        except InvalidToken:
            raise Config("wrong_key", _WRONG_KEY, file=self._key_file.name) from None
        if place is not None:
            self._belong(name, hashlib.sha256(token.encode()).hexdigest(), place)
        return value

    def names(self) -> list[str]:
        """The names of the secrets kept; never their values."""
        return sorted(self._kept())

    def _belong(self, name: str, mark: str, place: str) -> None:
        """Note where a secret is used first; NeedsUser when it is used elsewhere now."""
        try:
            places = json.loads(self._places_file.read_text("utf-8"))
        except FileNotFoundError:
            places = {}
        known = places.get(name)
        if known is None or known["secret"] != mark:  # entered anew since
            fresh = places | {name: {"place": place, "secret": mark}}
            _write(self._places_file, json.dumps(fresh, indent=1, sort_keys=True).encode())
        elif known["place"] != place:
            _log.warning("secret %s of %s was not sent to %s", name, known["place"], place)
            raise NeedsUser(
                "secret_elsewhere", _ELSEWHERE, name=name, place=known["place"], other=place
            )

    def _kept(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        kept: dict[str, str] = json.loads(self._file.read_text("utf-8"))
        return kept

    def _fernet(self) -> Fernet:
        try:
            return Fernet(self._key_file.read_bytes())
        except FileNotFoundError:
            raise Config("key_lost", _KEY_LOST, file=self._key_file.name) from None
        except ValueError:
            raise Config("wrong_key", _WRONG_KEY, file=self._key_file.name) from None


def _write(path: Path, data: bytes) -> None:
    """Replace a file as a whole, readable by its owner only from its first byte."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f"{path.suffix}.{secrets.token_hex(4)}")  # others may write as well
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
