"""One guarded HTTP client: no redirects, bounded answers, time-outs, patience with 429."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import httpx

from tenon.connect.contract import ConnectorSettings, StreamAbsent
from tenon.kernel.errors import Config, NeedsUser, Retry, Stop, TenonError
from tenon.kernel.text import Text

TIMEOUT: Final = httpx.Timeout(30.0, connect=10.0)
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_WAIT: Final = 30.0
_TRIES: Final = 4

_BAD_URL = Text(
    "来源“{source}”的连接地址无效；请写成 http://主机:端口 或 https://主机。",
    "The address of the source “{source}” is not valid; write http://host:port or https://host.",
)
_UNREACHABLE = Text(
    "连接不上来源“{source}”（{address}）：服务器没有应答。Tenon 会继续重试；请检查网络和服务。",
    "The source “{source}” ({address}) cannot be reached: the server does not answer. Tenon keeps "
    "trying; check the network and the service.",
)
_LOGIN = Text(
    "来源“{source}”（{address}）拒绝了令牌（HTTP {status}）：错误、过期或没有权限。已停止重试；"
    "请更正令牌后点击“检查连接”。",
    "The source “{source}” ({address}) refused the token (HTTP {status}): wrong, expired or "
    "without permission. Tenon has stopped trying; correct it, then press Check.",
)
_BUSY = Text(
    "来源“{source}”（{address}）限制了请求次数（HTTP 429）；Tenon 会稍后继续。",
    "The source “{source}” ({address}) limits its requests (HTTP 429); Tenon goes on later.",
)
_REDIRECT = Text(
    "来源“{source}”（{address}）要求转到别的地址；Tenon 不跟随重定向。请直接填写最终地址。",
    "The source “{source}” ({address}) redirects elsewhere; Tenon does not follow. Write the "
    "final address.",
)
_ANSWER = Text(
    "来源“{source}”（{address}）返回了 HTTP {status}；Tenon 会稍后重试。",
    "The source “{source}” ({address}) answered HTTP {status}; Tenon tries again later.",
)
_TOO_LARGE = Text(
    "来源“{source}”（{address}）的一次应答超过 {limit} MB，已中止。请减小每页数量。",
    "An answer of the source “{source}” ({address}) passed {limit} MB and was cut off. Ask for "
    "fewer rows a page.",
)
_GARBAGE = Text(
    "来源“{source}”（{address}）的应答不是预期的 JSON；Tenon 会稍后重试，并未写入任何数据。",
    "The answer of the source “{source}” ({address}) is not the JSON expected; nothing was "
    "written and Tenon tries again later.",
)
_NOT_THERE = Text("HTTP 404", "HTTP 404")


class Client:
    """GET requests to one base address."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self._source = settings.source
        self._egress = settings.egress
        self._token = settings.values.get("token")
        self._base = self._parse(str(settings.values.get("url", "")))
        host, port = self._base.host, self._base.port or _default_port(self._base)
        self.address = f"{host}:{port}"
        self._port = port

    @cached_property
    def _http(self) -> httpx.Client:
        # Made when first needed: its TLS context costs more than saying where a source is.
        return httpx.Client(timeout=TIMEOUT, follow_redirects=False, trust_env=False)

    def get(self, path: str, params: Mapping[str, str | int]) -> Any:
        """The JSON answer, its numbers exact."""
        for tries in range(1, _TRIES + 1):
            try:
                status, headers, body = self._ask(path, params)
            except (httpx.TransportError, httpx.StreamError):
                raise self._error(Retry, "source_unreachable", _UNREACHABLE) from None
            if status == httpx.codes.TOO_MANY_REQUESTS and tries < _TRIES:
                time.sleep(min(_retry_after(headers), MAX_WAIT))
                continue
            self._judge(status, path)
            return self._parsed(body)
        raise self._error(Retry, "source_busy", _BUSY)

    def close(self) -> None:
        """Close the connections."""
        if "_http" in self.__dict__:
            self._http.close()

    def _ask(
        self, path: str, params: Mapping[str, str | int]
    ) -> tuple[int, httpx.Headers, bytearray]:
        # Connect to the very address that was admitted: a second look-up might differ.
        address = self._egress.admit(self._base.host, self._port)
        headers = {"Host": self._base.netloc.decode(), "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = self._http.build_request(
            "GET",
            self._base.copy_with(host=address, path=self._path(path)),
            params=params,
            headers=headers,
            extensions={"sni_hostname": self._base.host},
        )
        answer = self._http.send(request, stream=True)
        try:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    raise self._error(
                        Stop, "answer_too_large", _TOO_LARGE, limit=MAX_BYTES // 1024**2
                    )
            return answer.status_code, answer.headers, body
        finally:
            answer.close()

    def _path(self, path: str) -> str:
        base = self._base.path.rstrip("/")
        # An address may be given with the part that the paths begin with (…/api).
        return path if base and path.startswith(base + "/") else base + path

    def _judge(self, status: int, path: str) -> None:
        if status == httpx.codes.OK:
            return
        if status in {401, 403}:
            raise self._error(NeedsUser, "source_login", _LOGIN, status=status)
        if status == httpx.codes.NOT_FOUND:
            raise StreamAbsent(self._source, path, _NOT_THERE)
        if 300 <= status < 400:
            raise self._error(NeedsUser, "source_redirects", _REDIRECT)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise self._error(Retry, "source_busy", _BUSY)
        raise self._error(Retry, "source_error", _ANSWER, status=status)

    def _parsed(self, body: bytearray) -> Any:
        try:
            return json.loads(body, parse_float=Decimal)
        except (ValueError, RecursionError):
            raise self._error(Retry, "source_garbage", _GARBAGE) from None

    def garbage(self) -> TenonError:
        """The error for an answer of another shape."""
        return self._error(Retry, "source_garbage", _GARBAGE)

    def _error(self, kind: type[TenonError], code: str, text: Text, **params: Any) -> TenonError:
        return kind(code, text, source=self._source, address=self.address, **params)

    def _parse(self, url: str) -> httpx.URL:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL:
            parsed = httpx.URL()
        if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.userinfo:
            raise Config("bad_address", _BAD_URL, source=self._source)
        return parsed


def _default_port(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80


def _retry_after(headers: httpx.Headers) -> float:
    try:
        return max(0.05, float(headers.get("Retry-After", "1")))
    except ValueError:
        return 1.0
