"""What `access` answers when it refuses."""

from __future__ import annotations

from tenon.kernel.errors import NeedsUser
from tenon.kernel.text import Text

NOT_SIGNED_IN = Text("请先登录。", "Please sign in first.")
WRONG_CREDENTIALS = Text(
    "用户名或密码不正确，或账号已停用。请检查后重试；仍不能登录请联系系统管理员。",
    "The user name or the password is wrong, or the account is suspended. Check both and try "
    "again; if it still fails, ask an administrator.",
)
TOO_MANY = Text(
    "登录失败次数过多，请在 {seconds} 秒后再试。",
    "Too many failed sign-ins. Try again in {seconds} seconds.",
)
MUST_CHANGE = Text(
    "这是初始密码，请先修改密码。", "This is a first password: change it before anything else."
)
NOT_ALLOWED = Text(
    "您的角色“{role}”没有此权限（{capability}）；如有需要请联系系统管理员。",
    "Your role “{role}” does not include this ({capability}). Ask an administrator if you need it.",
)
NOT_READABLE = Text("您的角色不能查看“{entity}”。", "Your role may not read “{entity}”.")
NOT_WRITABLE = Text(
    "您的角色不能修改“{entity}”{fields}。", "Your role may not change “{entity}” {fields}."
)


class NotSignedIn(NeedsUser):
    """Nobody is signed in, or the session has ended."""


class TooMany(NeedsUser):
    """Too many tries; `seconds` says how long to wait."""
