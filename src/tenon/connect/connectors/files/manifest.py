"""What is asked of a person who connects a folder of files."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from tenon.connect.manifest import Entered, Manifest, Option, Setting, Values, parts_of, url_of
from tenon.kernel.text import Text

_SERVERS: Final = {"place": ("ftp", "ftps", "sftp")}
_OPTIONAL: Final = ("host_key", "done", "archive", "quarantine")
_SETTINGS = (
    Setting("place", Text("位置", "Where"), "choice", required=True, default="folder", choices=(
        Option("folder", Text("本机或共享文件夹", "A folder of this machine or a share")),
        Option("ftp", Text("FTP", "FTP")),
        Option("ftps", Text("FTPS（加密）", "FTPS (encrypted)")),
        Option("sftp", Text("SFTP（SSH）", "SFTP (SSH)")))),
    Setting("host", Text("主机", "Host"), required=True, when=_SERVERS),
    Setting("port", Text("端口", "Port"), "integer", when=_SERVERS, help=Text(
        "留空则用标准端口", "Left empty: the usual port")),
    Setting("folder", Text("文件夹", "Folder"), required=True, help=Text(
        "例如 /srv/export", "Such as /srv/export")),
    Setting("user", Text("用户名", "User"), when=_SERVERS),
    Setting("password", Text("密码", "Password"), "secret", when=_SERVERS),
    Setting("host_key", Text("主机指纹（SFTP）", "Host key (SFTP)"), advanced=True,
            when={"place": ("sftp",)}, help=Text(
        "形如 SHA256:…；首次连接时会提示", "Like SHA256:…; told at the first attempt")),
    Setting("done", Text("完成标记", "Done mark"), advanced=True, help=Text(
        "例如 .ok：a.csv.ok 出现后才读取 a.csv",
        "Such as .ok: a.csv is read once a.csv.ok is there")),
    Setting("archive", Text("归档文件夹", "Archive folder"), advanced=True, help=Text(
        "读完后移入；留空则不移动文件", "Files go there once read; empty: they stay")),
    Setting("quarantine", Text("隔离文件夹", "Quarantine folder"), advanced=True),
)  # fmt: skip


def _values(entered: Entered) -> Values:
    folder = quote(str(entered["folder"]).lstrip("/"), safe="/:")
    place = str(entered["place"])
    url = f"file:///{folder}" if place == "folder" else url_of(place, entered, folder)
    return {"url": url} | {n: entered[n] for n in _OPTIONAL if n in entered}


def _entered(values: Values) -> dict[str, Any]:
    url = str(values.get("url", ""))
    parts = urlsplit(url)
    place = "folder" if parts.scheme == "file" else parts.scheme
    found = {"place": place, "folder": unquote(parts.path)} | parts_of(url)
    return found | {n: values[n] for n in _OPTIONAL if n in values}


MANIFEST: Final = Manifest(
    kind="files",
    label=Text("文件（CSV、Excel）", "Files (CSV, Excel)"),
    note=Text(
        "别的系统定时导出到文件夹、FTP 或 SFTP 的文件。",
        "What another system exports into a folder, FTP or SFTP.",
    ),
    settings=_SETTINGS,
    values=_values,
    entered=_entered,
    keys=frozenset({"url", *_OPTIONAL}),
)
