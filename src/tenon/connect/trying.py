"""Trying a connection step by step: address, network, login, tables; the first failure ends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, quote_plus

from tenon.connect.contract import Connector
from tenon.connect.egress import guard, reach
from tenon.connect.manifest import Manifest
from tenon.connect.settings import Connections, dialled
from tenon.define.models import Label, SourceDef
from tenon.kernel import clock
from tenon.kernel.errors import TenonError
from tenon.kernel.text import Text

StepName = Literal["address", "network", "login", "tables"]
_STEPS: Final[tuple[StepName, ...]] = ("address", "network", "login", "tables")
_SECONDS: Final = 5.0
_LONGEST: Final = 600
_SHORTEST_SECRET: Final = 3

_NOT_REACHED = Text("前一步未通过，未执行。", "Not tried: the step before it failed.")
_ADDRESS = Text("地址有效：{address}", "The address is valid: {address}")
_NETWORK = Text("{address} 有应答", "{address} answers")
_NO_NETWORK = Text("不经过网络", "No network is needed")
_LOGIN = Text("已登录，只读", "Signed in, read-only")
_TABLES = Text("找到 {count} 个可读取的表", "{count} tables can be read")
_NO_TABLES = Text(
    "登录成功，但看不到任何表：请让管理员授予读取权限，或核对数据库名。",
    "Signed in, but no table can be seen. Have read access granted, or check the database's name.",
)
_TROUBLE = Text(
    "没有成功；下面是驱动程序的原话。请据此检查填写的内容。",
    "This did not work; below are the driver's own words. Check what was entered by them.",
)
# A URL's user and password, whoever wrote them there (S31).
_USERINFO: Final = re.compile(r"(?<=://)[^/\s@]+@")
_PASSWORD: Final = re.compile(r"(?i)\b(pwd|password|passwd|token|secret)\s*[=:]\s*[^\s;,)]+")


@dataclass(frozen=True, slots=True)
class Step:
    """A step and what came of it; `ok` is None when it was not tried."""

    step: StepName
    ok: bool | None
    message: Text
    detail: str | None = None
    milliseconds: int = 0


def try_out(
    connections: Connections, manifest: Manifest, values: Mapping[str, Any], code: str = "new"
) -> list[Step]:
    """Try values that need not be saved; nothing is. `code` is how messages call the source."""
    secrets = [str(values[name]) for name in manifest.secrets if values.get(name)]
    done: list[Step] = []
    connectors: list[Connector] = []
    try:
        for name, work in _works(connections, manifest, values, connectors, code):
            step = _timed(name, work, secrets)
            done.append(step)
            if not step.ok:
                break
    finally:
        for connector in connectors:
            with suppress(TenonError):
                connector.close()
    left = _STEPS[len(done) :]
    return done + [Step(name, None, _NOT_REACHED) for name in left]


def _works(
    connections: Connections,
    manifest: Manifest,
    values: Mapping[str, Any],
    connectors: list[Connector],
    code: str,
) -> Iterator[tuple[StepName, Callable[[], Text]]]:
    label = Label(zh=manifest.label.zh, en=manifest.label.en)
    source = SourceDef(code=code, label=label, system=label, connector=manifest.kind)
    place = dialled(values)
    admitted: list[str] = []

    def address() -> Text:
        connectors.append(connections.make(source, values))
        if place is not None:
            admitted.append(guard(code, [place]).admit(*place))
        return _ADDRESS.format(address=connectors[0].address)

    def network() -> Text:
        if place is None:
            return _NO_NETWORK
        reach(place[0], admitted[0], place[1], _SECONDS)
        return _NETWORK.format(address=f"{place[0]}:{place[1]}")

    def login() -> Text:
        connectors[0].check()
        return _LOGIN

    def tables() -> Text:
        found = connectors[0].discover()
        if not found:
            raise _Nothing
        return _TABLES.format(count=len(found))

    return iter(zip(_STEPS, (address, network, login, tables), strict=True))


class _Nothing(Exception):
    """There is no table."""


def _timed(name: StepName, work: Callable[[], Text], secrets: Iterable[str]) -> Step:
    started = clock.monotonic()
    ok, detail = True, None
    try:
        message = work()
    except _Nothing:
        ok, message = False, _NO_TABLES
    except TenonError as error:
        ok, message, detail = False, error.text, words_of(error, secrets)
    except Exception as error:  # noqa: BLE001  a driver may raise anything; a person waits
        ok, message, detail = False, _TROUBLE, _redacted(_first(error), secrets)
    return Step(name, ok, message, detail, int((clock.monotonic() - started) * 1000))


def words_of(error: BaseException, secrets: Iterable[str]) -> str | None:
    """The driver's own words behind one of our errors, without any secret in them."""
    behind = error.__cause__ or error.__context__
    while behind is not None and isinstance(behind, TenonError):
        behind = behind.__cause__ or behind.__context__
    if behind is None:
        return None
    return _redacted(_first(getattr(behind, "orig", None) or behind), secrets)


def _first(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {text}"


def _redacted(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted({*secrets}, key=len, reverse=True):
        quoted = (quote(secret), quote(secret, safe=""), quote_plus(secret))
        for form in (secret, *quoted, repr(secret)[1:-1]):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(form, "•••")
    text = _PASSWORD.sub(lambda m: f"{m[1]}=•••", _USERINFO.sub("•••@", text))
    return text[:_LONGEST]
