"""What an installation says of a system that speaks HTTP: address, pace, size, time."""

from __future__ import annotations

import codecs
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from tenon.connect.contract import ConnectorSettings
from tenon.kernel.errors import Config
from tenon.kernel.text import Text

_BAD_URL = Text(
    "来源“{source}”的连接地址无效；请写成 http://主机:端口 或 https://主机。",
    "The address of the source “{source}” is not valid; write http://host:port or https://host.",
)
_BAD_SETTING = Text(
    "来源“{source}”的连接设置 {name} 无效；应为 {allowed}。",
    "The setting {name} of the source “{source}” is not valid; it should be {allowed}.",
)
_BAD_AUTHORITY = Text(
    "来源“{source}”的连接设置 ca_file 指向的证书文件无法读取；应为 PEM 文件的路径。",
    "The file that the setting ca_file of the source “{source}” names cannot be read; it should "
    "be a PEM file.",
)
_PAGE_ROWS: Final = 500


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where the system is and how it may be asked.

    `answer_seconds` is how long one answer may take to its last byte, `read_seconds` how long a
    stream may be read in one go; `per_second` bounds the calls of this process.
    """

    source: str
    url: httpx.URL
    check_path: str | None
    page_rows: int
    per_second: float | None
    answer_seconds: float
    read_seconds: float
    encoding: str | None
    ca_file: str | None

    @classmethod
    def of(cls, settings: ConnectorSettings) -> Self:
        """The settings, or Config when they are wrong."""
        values, source = settings.values, settings.source
        check_path, rate = values.get("check_path"), values.get("per_second")
        ca_file = values.get("ca_file")
        return cls(
            source=source,
            url=address(source, values.get("url")),
            check_path=str(check_path) if check_path is not None else None,
            page_rows=int(_number(settings, "page_rows", _PAGE_ROWS, 1, 10_000)),
            per_second=None if rate is None else _number(settings, "per_second", 1, 0.01, 1000),
            answer_seconds=_number(settings, "answer_seconds", 120, 0.1, 3600),
            read_seconds=_number(settings, "read_seconds", 3600, 1, 86_400),
            encoding=_encoding(source, values),
            ca_file=str(ca_file) if ca_file else None,
        )

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return place(self.url)

    def verify(self) -> ssl.SSLContext:
        """Whom to trust: the known authorities, or the plant's own."""
        if self.ca_file is None:
            return httpx.create_ssl_context(trust_env=False)
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError):
            raise Config("bad_authority", _BAD_AUTHORITY, source=self.source) from None


def address(source: str, value: Any) -> httpx.URL:
    """An address without user, query or fragment; Config when it is none."""
    try:
        url = httpx.URL(str(value or ""))
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
        raise Config("bad_address", _BAD_URL, source=source)
    return url


def place(url: httpx.URL) -> str:
    """The host and port of an address."""
    return f"{url.host}:{port(url)}"


def port(url: httpx.URL) -> int:
    """The port of an address."""
    return url.port or (443 if url.scheme == "https" else 80)


def wrong(source: str, name: str, allowed: str) -> Config:
    """The error for a setting; its value is not shown, it may be a secret in the wrong place."""
    return Config("bad_setting", _BAD_SETTING, source=source, name=name, allowed=allowed)


def _number(
    settings: ConnectorSettings, name: str, usual: float, least: float, most: float
) -> float:
    try:
        found = float(settings.values.get(name, usual))
    except (TypeError, ValueError):
        found = least - 1
    if not least <= found <= most:
        raise wrong(settings.source, name, f"{least:g} … {most:g}")
    return found


def _encoding(source: str, values: Mapping[str, Any]) -> str | None:
    said = values.get("encoding")
    if said is None:
        return None
    try:
        return codecs.lookup(str(said)).name
    except LookupError:
        raise wrong(source, "encoding", "utf-8 / gb18030") from None
