"""What an installation says of a place: its address, how it proves itself, what may be moved."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from tenon.connect.connectors.files.faults import ALL_PORTS, BAD_SETTING, BAD_URL
from tenon.connect.connectors.files.places import is_inside, is_plain
from tenon.connect.contract import ConnectorSettings
from tenon.kernel.errors import Config

_PORTS: Final = {"ftp": 21, "ftps": 21, "sftp": 22}
_FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{64}")
_HOST_KEY: Final = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_RANGE: Final = re.compile(r"([0-9]{1,5})-([0-9]{1,5})")
_FOLDER: Final = "a folder within the address, such as archive"


@dataclass(frozen=True, slots=True)
class Address:
    """A place, with what is needed to be let in."""

    scheme: str
    host: str
    port: int
    folder: str
    user: str = ""
    password: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)
    host_key: str | None = None
    certificate: str | None = None
    ca_file: str | None = None
    ports: range = ALL_PORTS
    done: str | None = None  # a.csv is whole once a.csv + done is there
    stable_seconds: float = 2.0  # or else when it did not change for so long
    archive: str | None = None
    quarantine: str | None = None
    most_mb: int = 200
    most_rows: int = 5_000_000

    @property
    def path(self) -> Path:
        """The folder, of a place on this machine."""
        return Path(self.folder)

    @property
    def shown(self) -> str:
        """Where it is, for people."""
        if self.scheme == "file":
            return self.folder
        return f"{self.scheme}://{self.host}:{self.port}/{self.folder}"


def address_of(settings: ConnectorSettings) -> Address:
    """The address and its settings; Config names the one that is wrong."""
    said = _Said(settings)
    scheme, host, port, folder, user = said.place()
    return Address(
        scheme, host, port, folder, said.text("user") or user, said.text("password"),
        said.text("private_key"),
        host_key=said.fitting("host_key", _HOST_KEY, "SHA256:… (ssh-keygen -l)"),
        certificate=said.fitting("certificate", _FINGERPRINT, "sha256:<64 hex>"),
        ca_file=said.text("ca_file") or None, ports=said.ports(), done=said.ending("done"),
        stable_seconds=said.seconds("stable_seconds", 2.0, 60.0),
        archive=said.folder("archive"), quarantine=said.folder("quarantine"),
        most_mb=said.number("max_mb", 200, 2000),
        most_rows=said.number("max_rows", 5_000_000, 50_000_000),
    )  # fmt: skip


class _Said:
    """The settings of one source, read one by one."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self._source, self._values = settings.source, settings.values

    def text(self, name: str) -> str:
        return str(self._values.get(name) or "")

    def place(self) -> tuple[str, str, int, str, str]:
        try:
            parts = urlsplit(self.text("url"))
            port = parts.port or _PORTS.get(parts.scheme, 0)
        except ValueError:
            raise self._bad_url() from None
        if parts.scheme == "file":
            return self._local(parts.netloc, parts.path)
        # A password in the address would be shown with it.
        if parts.scheme not in _PORTS or not parts.hostname or parts.password is not None:
            raise self._bad_url()
        folder = unquote(parts.path).strip("/")
        if (folder and not is_inside(folder)) or parts.query or parts.fragment:
            raise self._bad_url()
        return parts.scheme, parts.hostname, port, folder, unquote(parts.username or "")

    def _local(self, host: str, path: str) -> tuple[str, str, int, str, str]:
        folder = Path(url2pathname(f"//{host}{path}" if host else path))
        if not path.strip("/") or not folder.is_absolute() or ".." in folder.parts:
            raise self._bad_url()
        return "file", "", 0, str(folder), ""

    def fitting(self, name: str, form: re.Pattern[str], allowed: str) -> str | None:
        value = self.text(name)
        if value and not form.fullmatch(value):
            raise self._bad(name, value, allowed)
        return value or None

    def folder(self, name: str) -> str | None:
        value = self.text(name).rstrip("/")
        if value and not is_inside(value):
            raise self._bad(name, value, _FOLDER)
        return value or None

    def ports(self) -> range:
        value = self.text("passive_ports")
        if not value:
            return ALL_PORTS
        found = _RANGE.fullmatch(value)
        if found is None or not 0 < int(found[1]) <= int(found[2]) < 65536:
            raise self._bad("passive_ports", value, "50000-50100")
        return range(int(found[1]), int(found[2]) + 1)

    def ending(self, name: str) -> str | None:
        value = self.text(name)
        if value and not is_plain(value):
            raise self._bad(name, value, ".ok / .done")
        return value or None

    def seconds(self, name: str, otherwise: float, most: float) -> float:
        value: Any = self._values.get(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise self._bad(name, value, f"0-{most:.0f}")
        return float(value)

    def number(self, name: str, otherwise: int, most: int) -> int:
        value: Any = self._values.get(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise self._bad(name, value, f"1-{most}")
        return value

    def _bad(self, name: str, value: Any, allowed: str) -> Config:
        return Config(
            "bad_setting", BAD_SETTING, source=self._source, name=name, value=str(value)[:80],
            allowed=allowed,
        )  # fmt: skip

    def _bad_url(self) -> Config:
        return Config("bad_address", BAD_URL, source=self._source)
