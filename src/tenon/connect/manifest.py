"""What a connector asks of a person: its settings, and how they become a connection's values.

A part of the connector contract. Settings are what a person types (`host`, `port`); values are
what `connections.yaml` keeps and the connector is given (`url`). Both ways are the manifest's,
so that a connection can be shown again as it was entered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote, unquote, urlsplit

from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

SettingType = Literal["text", "secret", "integer", "choice", "boolean"]
Entered = Mapping[str, str | int | bool]
Values = dict[str, Any]

_MISSING = Text("请填写“{label}”。", "Fill in “{label_en}”.")
_UNKNOWN = Text(
    "没有名为“{name}”的设置；可用：{allowed}。",
    "There is no setting “{name}”; use some of {allowed}.",
)
_BAD_VALUE = Text(
    "“{label}”不能是“{value}”；{allowed}。", "“{label_en}” cannot be “{value}”; {allowed_en}."
)
_A_NUMBER = Text("应为 {least} 到 {most} 的整数", "it is a whole number from {least} to {most}")
_ONE_OF = Text("可选：{choices}", "choose one of {choices}")
_A_TEXT = Text(
    "应为不超过 {most} 个字符、不含控制字符的文字",
    "it is a text of at most {most} characters",
)
_YES_OR_NO = Text("应为是或否", "it is yes or no")
_LONGEST: Final = 500
_REFERENCE: Final = "secret:"


@dataclass(frozen=True, slots=True)
class Option:
    """One value of a setting that is chosen."""

    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Setting:
    """Something a person must or may say of a connection."""

    name: str
    label: Text
    type: SettingType = "text"
    help: Text | None = None
    required: bool = False
    default: str | int | bool | None = None
    choices: tuple[Option, ...] = ()
    advanced: bool = False
    when: Mapping[str, tuple[str, ...]] | None = None  # asked only while others have these values
    least: int = 1
    most: int = 65535


@dataclass(frozen=True, slots=True)
class Manifest:
    """A connector as a person sees it.

    `values` makes the connection's values of checked settings, `entered` does the reverse; secrets
    are left out of both: they go under their own name. `keys` are the values it may make; others
    of a connection (`writes`, for one) are an administrator's and stay as they are.
    """

    kind: str
    label: Text
    note: Text
    settings: tuple[Setting, ...]
    values: Callable[[Entered], Values]
    entered: Callable[[Values], dict[str, Any]]
    keys: frozenset[str]

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of the settings that are secret."""
        return tuple(s.name for s in self.settings if s.type == "secret")

    def checked(
        self, given: Mapping[str, Any], *, kept: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """The settings in their types, defaults filled in; BadInput names the first one refused.

        What is not asked, as others are set, is left out.

        `kept` are secrets that are there already and need not be given again.
        """
        known = {s.name: s for s in self.settings}
        for name in given:
            if name not in known:
                raise BadInput(
                    "unknown_setting", _UNKNOWN, name=str(name)[:60], allowed=", ".join(known)
                )
        found: dict[str, Any] = {}
        for name, setting in known.items():
            value = given.get(name)
            if value is None or value == "":
                value = setting.default
            if not _asked(setting, found):
                continue
            if value is not None:
                found[name] = _typed(setting, value)
            elif setting.required and name not in kept:
                raise missing(setting)
        return found


def missing(setting: Setting) -> BadInput:
    """The error for a setting that must be filled in."""
    label = setting.label
    return BadInput(
        "setting_missing", _MISSING, setting=setting.name, label=label.zh, label_en=label.en
    )


def _asked(setting: Setting, found: Mapping[str, Any]) -> bool:
    return all(found.get(name) in values for name, values in (setting.when or {}).items())


def _typed(setting: Setting, value: Any) -> str | int | bool:
    match setting.type:
        case "integer":
            return _whole(setting, value)
        case "boolean":
            if not isinstance(value, bool):
                raise _refused(setting, value, _YES_OR_NO)
            return value
        case "choice":
            allowed = [c.value for c in setting.choices]
            if value not in allowed:
                raise _refused(setting, value, _ONE_OF.format(choices=", ".join(allowed)))
            return str(value)
    text = value if isinstance(value, str) else ""
    plain = text.strip() if setting.type == "text" else text
    bad = any(ord(letter) < 32 for letter in plain) or len(plain) > _LONGEST
    # What begins like a reference would be read as one: another connection's secret.
    if not plain or bad or (setting.type == "text" and plain.startswith(_REFERENCE)):
        shown = "" if setting.type == "secret" else value
        raise _refused(setting, shown, _A_TEXT.format(most=_LONGEST))
    return plain


def _whole(setting: Setting, value: Any) -> int:
    text = str(value).strip()
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    if isinstance(value, bool) or not setting.least <= number <= setting.most:
        raise _refused(setting, value, _A_NUMBER.format(least=setting.least, most=setting.most))
    return number


def _refused(setting: Setting, value: Any, allowed: Text) -> BadInput:
    return BadInput(
        "bad_setting_value", _BAD_VALUE, setting=setting.name, label=setting.label.zh,
        label_en=setting.label.en, value=str(value)[:80], allowed=allowed.zh,
        allowed_en=allowed.en,
    )  # fmt: skip


def url_of(scheme: str, entered: Entered, path: str) -> str:
    """`scheme://user@host:port/path` of settings with those names."""
    host = str(entered.get("host", "")).strip("[]")
    host = f"[{host}]" if ":" in host else host
    user = f"{quote(str(entered['user']), safe='')}@" if entered.get("user") else ""
    port = f":{entered['port']}" if entered.get("port") else ""
    return f"{scheme}://{user}{quote(host, safe='[]:')}{port}/{path}"


def parts_of(url: str) -> dict[str, Any]:
    """The user, host and port of such a URL."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    found = {"user": unquote(parts.username or ""), "host": parts.hostname or "", "port": port}
    return {name: value for name, value in found.items() if value}
