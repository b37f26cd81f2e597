"""How Tenon signs in: a token, a key, a name and password, or tokens fetched by OAuth 2.

What is secret goes into a request and nowhere else: no message, log or address shows it.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol

import httpx

from tenon.connect.connectors.http.settings import address, place, wrong
from tenon.connect.connectors.http.wire import Answer
from tenon.connect.contract import ConnectorSettings
from tenon.kernel import clock
from tenon.kernel.errors import NeedsUser, Retry, TenonError
from tenon.kernel.text import Text

_STYLES: Final = ("token", "api_key", "user", "client_id")
_LONGEST: Final = 16_384
_TOKEN_BYTES: Final = 64 * 1024
_UNSAID_SECONDS: Final = 3600.0
_MOST_SECONDS: Final = 30 * 86_400.0
_EARLY_SECONDS: Final = 60.0

_REFUSED = Text(
    "来源“{source}”的令牌服务（{place}）拒绝了 client_id 或 client_secret（HTTP {status}）。"
    "已停止重试；请更正后点击“检查连接”。",
    "The token service ({place}) of the source “{source}” refused the client_id or client_secret "
    "(HTTP {status}). Tenon has stopped trying; correct them, then press Check.",
)
_NO_TOKEN = Text(
    "来源“{source}”的令牌服务（{place}）没有返回可用的令牌（HTTP {status}）；Tenon 会稍后重试。",
    "The token service ({place}) of the source “{source}” gave no usable token (HTTP {status}). "
    "Tenon tries again later.",
)
_NO_SERVICE = Text(
    "连接不上来源“{source}”的令牌服务（{place}）；Tenon 会继续重试，请检查网络。",
    "The token service ({place}) of the source “{source}” cannot be reached. Tenon keeps trying; "
    "check the network.",
)

Form = tuple[tuple[str, str], ...]
Send = Callable[[httpx.Request, int], Answer]


class Auth(Protocol):
    """Signs requests."""

    def sign(self, request: httpx.Request, send: Send) -> None:
        """Put into the request what lets it in; `send` reaches the token service."""
        ...

    def renew(self) -> bool:
        """What was put in was refused; whether another try may help."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same header, or parameter, each time."""

    header: tuple[str, str] | None = field(default=None, repr=False)
    param: tuple[str, str] | None = field(default=None, repr=False)

    def sign(self, request: httpx.Request, _send: Send) -> None:
        """Put it in."""
        if self.header:
            request.headers[self.header[0]] = self.header[1]
        if self.param:
            request.url = request.url.copy_set_param(*self.param)

    def renew(self) -> bool:
        """There is no other."""
        return False


class ClientTokens:
    """Tokens of OAuth 2 client credentials, fetched when needed and kept in memory."""

    def __init__(self, source: str, url: httpx.URL, form: Form, basic: str) -> None:
        self._source, self._url, self._form, self._basic = source, url, form, basic
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0

    def sign(self, request: httpx.Request, send: Send) -> None:
        """Put the token in, a fresh one before the old one ends."""
        with self._lock:
            if self._token is None or clock.monotonic() >= self._until:
                self._fetch(send)
            request.headers["Authorization"] = f"Bearer {self._token}"

    def renew(self) -> bool:
        """Fetch another next time."""
        with self._lock:
            self._token = None
        return True

    def _fetch(self, send: Send) -> None:
        headers = {"Accept": "application/json"}
        if self._basic:
            headers["Authorization"] = self._basic
        request = httpx.Request("POST", self._url, data=dict(self._form), headers=headers)
        try:
            answer = send(request, _TOKEN_BYTES)
        except (httpx.TransportError, httpx.StreamError):
            raise self._error(Retry, "token_service", _NO_SERVICE) from None
        if answer.status in {400, 401, 403} or 300 <= answer.status < 400:
            raise self._error(NeedsUser, "source_login", _REFUSED, status=answer.status)
        token, seconds = _granted(answer)
        if token is None:
            raise self._error(Retry, "token_service", _NO_TOKEN, status=answer.status)
        early = min(_EARLY_SECONDS, seconds / 10)
        self._token, self._until = token, clock.monotonic() + seconds - early

    def _error(self, kind: type[TenonError], code: str, text: Text, **params: Any) -> TenonError:
        return kind(code, text, source=self._source, place=place(self._url), **params)


def auth_of(settings: ConnectorSettings) -> Auth:
    """How this connection signs in; Config when it says several ways, or half of one."""
    values, source = settings.values, settings.source
    styles = [name for name in _STYLES if values.get(name) is not None]
    if len(styles) > 1:
        raise wrong(source, " + ".join(styles), "token / api_key / user / client_id")
    match styles:
        case ["token"]:
            return Fixed(header=("Authorization", f"Bearer {_said(settings, 'token')}"))
        case ["api_key"]:
            return _key(settings)
        case ["user"]:
            password = _said(settings, "password") if values.get("password") else ""
            basic = _basic(_said(settings, "user"), password)
            return Fixed(header=("Authorization", basic))
        case ["client_id"]:
            return _client(settings)
    return Fixed()


def _key(settings: ConnectorSettings) -> Auth:
    key = _said(settings, "api_key")
    if settings.values.get("api_key_param") is not None:
        return Fixed(param=(_said(settings, "api_key_param"), key))
    name = str(settings.values.get("api_key_header", "X-API-Key"))
    if not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
        raise wrong(settings.source, "api_key_header", "X-API-Key")
    return Fixed(header=(name, key))


def _client(settings: ConnectorSettings) -> Auth:
    values, source = settings.values, settings.source
    url = address(source, values.get("token_url"))
    more = [n for n in ("scope", "audience") if values.get(n) is not None]
    form: Form = (("grant_type", "client_credentials"), *((n, _said(settings, n)) for n in more))
    name, secret = _said(settings, "client_id"), _said(settings, "client_secret")
    how = values.get("token_auth", "basic")
    if how == "basic":
        return _tokens(source, url, form, _basic(name, secret))
    if how != "body":
        raise wrong(source, "token_auth", "basic / body")
    form = (*form, ("client_id", name), ("client_secret", secret))
    return _tokens(source, url, form, "")


@lru_cache(maxsize=64)
def _tokens(source: str, url: httpx.URL, form: Form, basic: str) -> ClientTokens:
    # Kept over connections: one is opened every few seconds, a token lasts an hour.
    return ClientTokens(source, url, form, basic)


def _granted(answer: Answer) -> tuple[str | None, float]:
    """The token of an answer and how many seconds it lasts; None when there is none."""
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None, 0
    if answer.status != 200 or not isinstance(found, dict):
        return None, 0
    token, kind = found.get("access_token"), found.get("token_type", "bearer")
    if not isinstance(token, str) or not _is_sendable(token) or str(kind).lower() != "bearer":
        return None, 0
    try:
        seconds = float(found.get("expires_in", _UNSAID_SECONDS))
    except (TypeError, ValueError):
        seconds = _UNSAID_SECONDS
    return token, min(seconds, _MOST_SECONDS) if seconds > 0 else 0.0


def _said(settings: ConnectorSettings, name: str) -> str:
    value = settings.values.get(name)
    if not isinstance(value, str | int) or not str(value) or len(str(value)) > _LONGEST:
        raise wrong(settings.source, name, "text (文字)")
    if any(ord(c) < 32 or ord(c) == 127 for c in str(value)):
        raise wrong(settings.source, name, "one line, without control characters (单行文字)")
    if name in {"token", "api_key"} and not _is_sendable(str(value)):
        raise wrong(settings.source, name, "letters, digits and signs of ASCII (ASCII 字符)")
    return str(value)


def _is_sendable(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isascii() and text.isprintable()


def _basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()
