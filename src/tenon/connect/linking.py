"""Connections as people make them: settings checked, secrets kept apart, bound to a place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tenon.connect.manifest import Manifest
from tenon.connect.settings import MANIFESTS, Connections, place_of
from tenon.define.models import SourceDef
from tenon.kernel.errors import BadInput, Conflict
from tenon.kernel.text import Text

_NO_CONNECTOR = Text(
    "没有名为“{kind}”的连接方式；可用：{allowed}。",
    "There is no connector “{kind}”; use one of {allowed}.",
)
_AGAIN = Text(
    "地址由 {before} 改为 {after}：已保存的“{label}”只属于原地址，不会发送到新地址；请重新输入。",
    "The address changes from {before} to {after}: the “{label_en}” that is kept belongs to the "
    "old one and is not sent to the new one. Enter it again.",
)
_OURS = Text(
    "“{file}”在 Tenon 自己的目录内，不能作为来源；请填写对方系统的文件。",
    "“{file}” lies in Tenon's own folder and cannot be a source; give the other system's file.",
)
_NOT_CONNECTED = Text(
    "来源“{source}”还没有连接设置。", "The source “{source}” is not connected yet."
)
_REFERENCE: Final = "secret:"
_SET: Final = {"set": True}


def manifest_of(kind: str) -> Manifest:
    """The manifest of a kind of connector; BadInput when there is none."""
    found = MANIFESTS.get(kind)
    if found is None:
        raise BadInput("no_connector", _NO_CONNECTOR, kind=kind[:60], allowed=", ".join(MANIFESTS))
    return found


def shown(connections: Connections, source: SourceDef) -> dict[str, Any]:
    """The settings as entered, of secrets only that there is one; Conflict when not connected."""
    values = connections.values(source.code)
    if values is None:
        raise Conflict("not_connected", _NOT_CONNECTED, source=source.code)
    manifest = manifest_of(source.connector)
    return manifest.entered(dict(values)) | {
        name: _SET for name in manifest.secrets if values.get(name)
    }


def save(connections: Connections, source: SourceDef, given: Mapping[str, Any]) -> None:
    """Keep a connection as entered; a secret that is not given stays, unless the place changes."""
    manifest = manifest_of(source.connector)
    before = dict(connections.values(source.code) or {})
    values, secrets = _parts(connections, manifest, source.code, given)
    owned = {*manifest.keys, *manifest.secrets}
    kept = {name: value for name, value in before.items() if name not in owned}
    place = place_of(values)
    for name, value in secrets.items():
        if value is None:
            values[name] = before[name]
            continue
        key = f"{source.code}-{name}"
        connections.secrets.set(key, value)
        connections.secrets.get(key, place)  # from now on it belongs there
        values[name] = _REFERENCE + key
    connections.put(source.code, kept | values)


def opened(
    connections: Connections, manifest: Manifest, code: str | None, given: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of settings that are not saved, with their secrets; kept ones of `code` too."""
    values, secrets = _parts(connections, manifest, code, given)
    before = connections.values(code) if code else None
    for name, value in secrets.items():
        if value is not None:
            values[name] = value
        elif before is not None:
            said = str(before[name])
            place = place_of(values)
            values[name] = (
                connections.secrets.get(said.removeprefix(_REFERENCE), place)
                if said.startswith(_REFERENCE)
                else said
            )
    return values


def _parts(
    connections: Connections, manifest: Manifest, code: str | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, str | None]]:
    """Values without secrets, and the secrets: the text given, or None for one that is kept."""
    before = dict((connections.values(code) if code else None) or {})
    there = frozenset(name for name in manifest.secrets if before.get(name))
    plain = {k: v for k, v in given.items() if not (k in manifest.secrets and _is_kept(v))}
    checked = manifest.checked(plain, kept=there)
    values = manifest.values({k: v for k, v in checked.items() if k not in manifest.secrets})
    _refuse_ours(connections.home, values)
    secrets: dict[str, str | None] = {n: str(checked[n]) for n in manifest.secrets if n in checked}
    for name in there - secrets.keys():
        if place_of(values) != place_of(before):
            label = next(s.label for s in manifest.settings if s.name == name)
            raise BadInput(
                "secret_again", _AGAIN, setting=name, label=label.zh, label_en=label.en,
                before=place_of(before) or "—", after=place_of(values) or "—",
            )  # fmt: skip
        secrets[name] = None
    return values, secrets


def _is_kept(value: Any) -> bool:
    return value is None or value in ("", _SET)


def _refuse_ours(home: Path, values: Mapping[str, Any]) -> None:
    """A source is never a file of Tenon's own: they hold sessions and password hashes (S13)."""
    parts = urlsplit(str(values.get("url", "")))
    paths = [str(values.get("file") or "")]
    if parts.scheme in {"sqlite", "file"}:
        paths.append(unquote(parts.path[1:] if parts.scheme == "sqlite" else parts.path))
    for path in filter(None, paths):
        if Path(path).resolve().is_relative_to(home.resolve()):
            raise BadInput("own_file", _OURS, file=Path(path).name)
