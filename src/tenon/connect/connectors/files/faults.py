"""What goes wrong with folders and files, by what the reader can do."""

from __future__ import annotations

from typing import Any, Final

from tenon.kernel.errors import NeedsUser, Retry, Stop
from tenon.kernel.text import Text

_BAD_URL = Text(
    "来源“{source}”的连接地址无效。请写成 file:///文件夹、ftp://用户@主机/文件夹、"
    "ftps://用户@主机/文件夹 或 sftp://用户@主机/文件夹；密码写在 password 中。",
    "The address of the source “{source}” is not valid. Write file:///folder, ftp://user@host/"
    "folder, ftps://user@host/folder or sftp://user@host/folder, and the password apart.",
)
_BAD_SETTING = Text(
    "来源“{source}”的设置 {name} 无效：收到“{value}”，应为 {allowed}。",
    "The setting {name} of the source “{source}” is not valid: it is “{value}” and must be "
    "{allowed}.",
)
_UNREACHABLE = Text(
    "连接不上来源“{source}”（{address}），或连接中断；没有读入半个文件。"
    "Tenon 会继续重试；请检查网络和服务。",
    "The source “{source}” ({address}) cannot be reached, or the connection broke; no half file "
    "was taken. Tenon keeps trying; check the network and the service.",
)
_LOGIN = Text(
    "来源“{source}”（{address}）拒绝登录：用户名、密码或密钥错误、已过期或被锁定。"
    "为避免锁死账号，已停止重试；请更正后点击“检查连接”。",
    "The source “{source}” ({address}) refused the login: wrong, expired or locked. Tenon has "
    "stopped trying so as not to lock the account. Correct it, then press Check.",
)
_FOLDER = Text(
    "来源“{source}”（{address}）的文件夹“{folder}”不存在或无权读取；请更正后点击“检查连接”。",
    "The folder “{folder}” of the source “{source}” ({address}) is not there or may not be read. "
    "Correct it, then press Check.",
)
_HOST_KEY = Text(
    "来源“{source}”（{address}）的主机密钥是 {found}，与登记的不一致（登记的：{pinned}）。"
    "没有发送密码。请向服务器管理员核对；确认无误后在连接设置中写入 host_key: {found}。",
    "The host key of the source “{source}” ({address}) is {found}, and not the one that is listed "
    "({pinned}). No password was sent. Ask the server's administrator; if it is right, write "
    "host_key: {found} in its settings.",
)
_CERTIFICATE = Text(
    "来源“{source}”（{address}）的 TLS 证书无法验证（指纹 {found}）。没有发送密码。"
    "请安装受信任的证书；自签名证书请核对后在连接设置中写入 certificate: {found}。",
    "The TLS certificate of the source “{source}” ({address}) cannot be verified (fingerprint "
    "{found}). No password was sent. Install a trusted one, or for a self-signed one that you "
    "have checked write certificate: {found} in its settings.",
)
_PORT = Text(
    "来源“{source}”（{address}）要求在端口 {port} 上传输数据；只允许 {allowed}。已拒绝连接。",
    "The source “{source}” ({address}) wants to send its data over port {port}; only {allowed} "
    "are allowed. It was not connected.",
)
_NO_MOVE = Text(
    "来源“{source}”（{address}）的文件“{file}”已处理，但无法移到“{folder}”：没有写入权限或磁盘已满。"
    "数据没有丢失，也不会重复读取；请检查权限，或在设置中去掉 archive / quarantine。",
    "The file “{file}” of the source “{source}” ({address}) is dealt with but cannot be moved to "
    "“{folder}”: no permission, or the disk is full. Nothing is lost or read twice. Check the "
    "permission, or take archive / quarantine out of the settings.",
)
_NO_SPACE = Text(
    "本机的临时空间不足，无法取来源“{source}”的文件“{file}”；Tenon 会稍后重试。",
    "There is no room on this machine to fetch the file “{file}” of the source “{source}”. Tenon "
    "tries again later.",
)
_MANY = Text(
    "来源“{source}”（{address}）的文件夹“{folder}”中的文件超过 {limit} 个；请归档旧文件。",
    "The folder “{folder}” of the source “{source}” ({address}) holds more than {limit} files. "
    "Archive the old ones.",
)
ALL_PORTS: Final = range(1024, 65536)


class FileRefused(Stop):
    """A file that cannot be read as it is; no row of it was taken."""

    def __init__(self, code: str, text: Text, file: str, **params: Any) -> None:
        zh = f"文件“{{file}}”{text.zh}"
        super().__init__(code, Text(zh, f"The file “{{file}}” {text.en}"), file=file, **params)


class Faults:
    """The errors of one source."""

    def __init__(self, source: str, address: str) -> None:
        self.source, self.address = source, address

    def unreachable(self) -> Retry:
        """Nobody answers, or the connection broke."""
        return Retry("source_unreachable", _UNREACHABLE, **self._who)

    def login(self) -> NeedsUser:
        """The login is refused."""
        return NeedsUser("source_login", _LOGIN, **self._who)

    def folder(self, folder: str) -> NeedsUser:
        """The folder is not there, or not ours to read."""
        return NeedsUser("source_folder", _FOLDER, folder=folder or "/", **self._who)

    def host_key(self, found: str, pinned: str) -> NeedsUser:
        """The server is not the one that was meant, or nobody said which is meant."""
        return NeedsUser("source_host_key", _HOST_KEY, found=found, pinned=pinned, **self._who)

    def certificate(self, found: str) -> NeedsUser:
        """The server cannot show that it is the one that is meant."""
        return NeedsUser("source_certificate", _CERTIFICATE, found=found, **self._who)

    def data_port(self, port: int, allowed: range) -> NeedsUser:
        """The server names a port for its data that is not allowed."""
        shown = f"{allowed.start}-{allowed.stop - 1}"
        return NeedsUser("egress_refused", _PORT, port=port, allowed=shown, **self._who)

    def no_move(self, file: str, folder: str) -> NeedsUser:
        """A file that was dealt with cannot be put away."""
        return NeedsUser("file_not_moved", _NO_MOVE, file=file, folder=folder, **self._who)

    def no_space(self, file: str) -> Retry:
        """There is no room for a file here."""
        return Retry("no_space", _NO_SPACE, file=file, source=self.source)

    def many(self, folder: str, limit: int) -> NeedsUser:
        """More files than a folder may hold."""
        return NeedsUser(
            "too_many_files", _MANY, folder=folder or "/", limit=limit, **self._who
        )  # fmt: skip

    @property
    def _who(self) -> dict[str, str]:
        return {"source": self.source, "address": self.address}


BAD_URL: Final = _BAD_URL
BAD_SETTING: Final = _BAD_SETTING
