"""Asking one system: signed, counted, at its pace, and every way of going wrong told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import httpx

from tenon.connect.connectors.http import wire
from tenon.connect.connectors.http.answer import NotText, decoded, parsed
from tenon.connect.connectors.http.auth import auth_of
from tenon.connect.connectors.http.pace import MAX_WAIT, asked_to_wait, pace_of
from tenon.connect.connectors.http.settings import HttpSettings, port
from tenon.connect.connectors.http.wire import Answer, TooLarge, Undecodable, Wire
from tenon.connect.contract import CallsSpent, ConnectorSettings, StreamAbsent, StreamUnchanged
from tenon.kernel.errors import NeedsUser, Retry, Stop, TenonError
from tenon.kernel.text import Text

_TRIES: Final = 4
_LONGEST_URL: Final = 8192
_BUSY_STATES: Final = frozenset({429, 503})

_UNREACHABLE = Text(
    "连接不上来源“{source}”（{address}）：服务器没有应答。Tenon 会继续重试；请检查网络和服务。",
    "The source “{source}” ({address}) cannot be reached: the server does not answer. Tenon keeps "
    "trying; check the network and the service.",
)
_SLOW = Text(
    "来源“{source}”（{address}）没有在 {seconds} 秒内答完；Tenon 会继续重试。"
    "如果它一向这么慢，请减小每页数量，或调大连接设置 answer_seconds。",
    "The source “{source}” ({address}) did not finish its answer within {seconds} s. Tenon keeps "
    "trying; if it is always this slow, ask for fewer rows a page or raise answer_seconds.",
)
_CUT = Text(
    "来源“{source}”（{address}）的应答中途断开，没有采用其中的任何内容；Tenon 会继续重试。",
    "The source “{source}” ({address}) broke off in the middle of its answer; nothing of it was "
    "taken. Tenon keeps trying.",
)
_CERTIFICATE = Text(
    "来源“{source}”（{address}）的证书不可信：过期、主机名不符，或由工厂自己的机构签发。"
    "请更新证书；自签机构请在连接设置中写 ca_file。",
    "The certificate of the source “{source}” ({address}) cannot be trusted: it has expired, is "
    "for another name, or comes from an authority of your own. Renew it; name your own authority "
    "in the setting ca_file.",
)
_LOGIN = Text(
    "来源“{source}”（{address}）拒绝了令牌、密钥或密码（HTTP {status}）：错误、过期或没有权限。"
    "已停止重试；请更正后点击“检查连接”。",
    "The source “{source}” ({address}) refused the token, key or password (HTTP {status}): wrong, "
    "expired or without permission. Tenon has stopped trying; correct it, then press Check.",
)
_PAYMENT = Text(
    "来源“{source}”（{address}）说需要付费（HTTP 402）：套餐用完或欠费。"
    "已停止重试；请与服务商结清后点击“检查连接”。",
    "The source “{source}” ({address}) asks for payment (HTTP 402): the plan is used up or a bill "
    "is open. Tenon has stopped trying; settle it with the provider, then press Check.",
)
_BUSY = Text(
    "来源“{source}”（{address}）限制了请求次数（HTTP 429 或 503），{seconds} 秒后再问；"
    "Tenon 会自动继续。",
    "The source “{source}” ({address}) limits its requests (HTTP 429 or 503) and is asked again "
    "in {seconds} s; Tenon goes on by itself.",
)
_RESTS = Text(
    "来源“{source}”（{address}）上次没有答好；每次调用都要付费，所以 {seconds} 秒后再问，"
    "Tenon 会自动继续。对方已恢复时点击“测试连接”可立即再问。",
    "The source “{source}” ({address}) did not answer well the last time. Each call costs money, "
    "so it is asked again in {seconds} s, by itself; press Test connection to ask at once.",
)
_REDIRECT = Text(
    "来源“{source}”（{address}）要求转到别的地址；Tenon 不跟随重定向。请直接填写最终地址。",
    "The source “{source}” ({address}) redirects elsewhere; Tenon does not follow. Write the "
    "final address.",
)
_ELSEWHERE = Text(
    "来源“{source}”（{address}）给出的下一页在另一台主机上；Tenon 只问登记过的主机，已停止。"
    "请核对地址或分页方式。",
    "The source “{source}” ({address}) names a next page on another host; Tenon asks the listed "
    "host alone and has stopped. Check the address, or how the pages are asked for.",
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
    "来源“{source}”（{address}）的应答无法采用：{problem}。Tenon 会稍后重试，并未写入任何数据。",
    "The answer of the source “{source}” ({address}) is of no use: {problem}. Nothing was written "
    "and Tenon tries again later.",
)
_PACKED = Text("压缩方式不对或内容损坏", "it is packed in an unknown way, or damaged")
_PAGE = Text(
    "是一个网页（HTML）而不是数据，可能是登录页、网关或维护页",
    "it is a web page (HTML), no data: a login page, a gateway or a page about maintenance",
)
_NO_JSON = Text("不是有效的 JSON", "it is not JSON")
_NO_TEXT = Text(
    "文字编码不对（既不是 UTF-8，也不是它声明的编码）；可在连接设置中写 encoding: gb18030",
    "its text is neither UTF-8 nor in the encoding named; try the setting encoding: gb18030",
)
SHAPE = Text("不是预期的结构", "it has not the shape expected")
_NOT_THERE = Text("HTTP 404", "HTTP 404")


@dataclass(frozen=True, slots=True)
class Told:
    """What a system told: its value, whether a name stands twice in it, and its headers."""

    value: Any
    doubled: bool
    answer: Answer


class Client:
    """GET requests to one system; threads may share it."""

    def __init__(self, settings: ConnectorSettings) -> None:
        self.settings = HttpSettings.of(settings)
        self._egress, self._calls = settings.egress, settings.calls
        self._auth = auth_of(settings)
        self._base = self.settings.url
        self.address = self.settings.place
        self._pace = pace_of(settings.source, self.address, self.settings.per_second)

    @cached_property
    def _wire(self) -> Wire:
        # Made when first needed: its TLS context costs more than saying where a source is.
        return Wire(self._egress, self.settings.answer_seconds, self.settings.verify())

    def close(self) -> None:
        """Close the connections."""
        if "_wire" in self.__dict__:
            self._wire.close()

    def url(self, path: str, params: Mapping[str, str | int] | None = None) -> httpx.URL:
        """The address of a path with parameters."""
        base = self._base.path.rstrip("/")
        # An address may be given with the part that the paths begin with (…/api).
        whole = path if base and path.startswith(base + "/") else base + path
        url = self._base.copy_with(path=whole)
        return url.copy_merge_params(dict(params)) if params else url

    def follow(self, url: httpx.URL, link: str) -> httpx.URL:
        """The address that a link on the page at `url` leads to, on this system only.

        Scheme and port are ours: behind a proxy many systems do not know their own.
        """
        if len(link) > _LONGEST_URL:
            raise self.garbage(SHAPE)
        try:
            to = url.join(link)
        except (httpx.InvalidURL, ValueError):
            raise self.garbage(SHAPE) from None
        ours = to.scheme in {"http", "https"} and not to.userinfo and to.host == self._base.host
        if not ours or (to.port is not None and to.port != port(self._base)):
            raise self._error(NeedsUser, "source_elsewhere", _ELSEWHERE)
        return self._base.copy_with(raw_path=to.raw_path)

    def get(self, url: httpx.URL, unless: Mapping[str, str] | None = None) -> Told:
        """What is there; of status 304 when it is as `unless` says, then without a value."""
        answer = self._patiently(url, unless or {})
        if answer.status == 304 and unless:
            return Told(None, False, answer)
        self._judge(answer.status, url.path)
        return self._told(answer)

    def reach(self) -> None:
        """Ask for the address itself: that it answers and lets us in is enough."""
        status = self._patiently(self._base, {}).status
        if status in {401, 403} or status >= 500 or status in _BUSY_STATES:
            self._judge(status, self._base.path)

    @contextmanager
    def trying(self) -> Iterator[None]:
        """Learn from how the block ends whether the system works.

        Where calls cost money one that fails is left alone ever longer, so that a dead server
        does not use up the budget.
        """
        rest = self._pace.rest() if self._calls.costs else 0.0
        if rest:
            raise self._error(Retry, "source_rests", _RESTS, seconds=max(round(rest), 1))
        try:
            yield
        except CallsSpent:
            raise  # nothing was asked
        except Retry:
            self._pace.failed()
            raise
        except StreamUnchanged:
            self._pace.worked()
            raise
        self._pace.worked()

    def hurry(self) -> None:
        """A person asks: nobody rests now."""
        self._pace.worked()

    def garbage(self, problem: Text) -> TenonError:
        """The error for an answer that is of no use."""
        text = Text(
            _GARBAGE.zh.replace("{problem}", problem.zh),
            _GARBAGE.en.replace("{problem}", problem.en),
        )
        return self._error(Retry, "source_garbage", text)

    def _patiently(self, url: httpx.URL, unless: Mapping[str, str]) -> Answer:
        """Ask, and again when the system is busy or a token has run out; each time counted."""
        renewed = False
        for tries in range(1, _TRIES + 1):
            answer = self._once(url, unless, again=tries > 1)
            if answer.status in _BUSY_STATES:
                wait = asked_to_wait(answer.headers, tries)
                self._pace.hold(wait)
                if wait > MAX_WAIT:
                    raise self._busy(wait)
            elif answer.status == 401 and not renewed and self._auth.renew():
                renewed = True
            else:
                return answer
        return answer

    def _once(self, url: httpx.URL, unless: Mapping[str, str], *, again: bool) -> Answer:
        far = self._pace.turn()
        if far:
            raise self._busy(far)
        request = httpx.Request("GET", url, headers={"Accept": "application/json", **unless})
        try:
            self._auth.sign(request, self._wire.send)
            self._calls.count(again=again or self._pace.failing)
            return self._wire.send(request, wire.MAX_BYTES)
        except TooLarge:
            limit = wire.MAX_BYTES // 1024**2
            raise self._error(Stop, "answer_too_large", _TOO_LARGE, limit=limit) from None
        except Undecodable:
            raise self.garbage(_PACKED) from None
        except (httpx.TransportError, httpx.StreamError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> TenonError:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return self._error(NeedsUser, "source_certificate", _CERTIFICATE)
        if isinstance(error, httpx.ReadTimeout):
            seconds = f"{min(self.settings.answer_seconds, wire.READ_SECONDS):g}"
            return self._error(Retry, "source_slow", _SLOW, seconds=seconds)
        if isinstance(error, httpx.RemoteProtocolError):
            return self._error(Retry, "source_cut", _CUT)
        return self._error(Retry, "source_unreachable", _UNREACHABLE)

    def _judge(self, status: int, path: str) -> None:
        if status == httpx.codes.OK:
            return
        if status in {401, 403}:
            raise self._error(NeedsUser, "source_login", _LOGIN, status=status)
        if status == httpx.codes.PAYMENT_REQUIRED:
            raise self._error(NeedsUser, "source_payment", _PAYMENT)
        if status in {404, 410}:
            raise StreamAbsent(self.settings.source, path, _NOT_THERE)
        if 300 <= status < 400 and status != httpx.codes.NOT_MODIFIED:
            raise self._error(NeedsUser, "source_redirects", _REDIRECT)
        if status in _BUSY_STATES:
            raise self._busy(1)
        raise self._error(Retry, "source_error", _ANSWER, status=status)

    def _told(self, answer: Answer) -> Told:
        content_type = answer.headers.get("Content-Type", "")
        try:
            text = decoded(answer.body, content_type, self.settings.encoding)
            value, doubled = parsed(text)
        except NotText:
            raise self.garbage(_NO_TEXT) from None
        except ValueError:
            page = answer.body.lstrip()[:1] == b"<"
            raise self.garbage(_PAGE if page else _NO_JSON) from None
        return Told(value, doubled, answer)

    def _busy(self, seconds: float) -> TenonError:
        return self._error(Retry, "source_busy", _BUSY, seconds=max(round(seconds), 1))

    def _error(self, kind: type[TenonError], code: str, text: Text, **params: Any) -> TenonError:
        return kind(code, text, source=self.settings.source, address=self.address, **params)
