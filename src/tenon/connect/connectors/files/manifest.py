"""What is asked of a person who connects a folder of files."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from tenon.connect.manifest import Entered, Manifest, Option, Setting, Values, parts_of, url_of
from tenon.kernel.errors import BadInput
from tenon.kernel.text import Text

_NEEDED = Text("请填写“主机”。", "Fill in “Host”.")
_OPTIONAL: Final = ("host_key", "done", "archive", "quarantine")
_SETTINGS = (
    Setting("scheme", Text("位置", "Where"), "choice", required=True, default="file", choices=(
        Option("file", Text("本机或共享文件夹", "A folder of this machine or a share")),
        Option("ftp", Text("FTP", "FTP")),
        Option("ftps", Text("FTPS（加密）", "FTPS (encrypted)")),
        Option("sftp", Text("SFTP（SSH）", "SFTP (SSH)")))),
    Setting("host", Text("主机", "Host")),
    Setting("port", Text("端口", "Port"), "integer", help=Text(
        "留空则用标准端口", "Left empty: the usual port")),
    Setting("folder", Text("文件夹", "Folder"), required=True, help=Text(
        "例如 /srv/export", "Such as /srv/export")),
    Setting("user", Text("用户名", "User")),
    Setting("password", Text("密码", "Password"), "secret"),
    Setting("host_key", Text("主机指纹（SFTP）", "Host key (SFTP)"), advanced=True, help=Text(
        "形如 SHA256:…；首次连接时会提示", "Like SHA256:…; told at the first attempt")),
    Setting("done", Text("完成标记", "Done mark"), advanced=True, help=Text(
        "例如 .ok：a.csv.ok 出现后才读取 a.csv",
        "Such as .ok: a.csv is read once a.csv.ok is there")),
    Setting("archive", Text("归档文件夹", "Archive folder"), advanced=True, help=Text(
        "读完后移入；留空则不移动文件", "Files go there once read; empty: they stay")),
    Setting("quarantine", Text("隔离文件夹", "Quarantine folder"), advanced=True),
)  # fmt: skip


def _values(entered: Entered) -> Values:
    scheme = str(entered["scheme"])
    folder = quote(str(entered["folder"]).lstrip("/"), safe="/:")
    if scheme == "file":
        url = f"file:///{folder}"
    elif not entered.get("host"):
        raise BadInput("setting_missing", _NEEDED, setting="host")
    else:
        url = url_of(scheme, entered, folder)
    return {"url": url} | {n: entered[n] for n in _OPTIONAL if n in entered}


def _entered(values: Values) -> dict[str, Any]:
    url = str(values.get("url", ""))
    parts = urlsplit(url)
    found = {"scheme": parts.scheme, "folder": unquote(parts.path)} | parts_of(url)
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
