"""Accounts: signing in, passwords, and what an administrator changes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access import passwords, sessions, throttle
from tenon.access.errors import WRONG_CREDENTIALS, NotSignedIn
from tenon.access.tables import user_account
from tenon.define.catalogue import Catalogue
from tenon.define.models import Role
from tenon.kernel import clock
from tenon.kernel.errors import BadInput, Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import Hub

_TAKEN = Text(
    "用户名“{username}”已被使用；请换一个。",
    "The user name “{username}” is taken; choose another.",
)
_BAD_NAME = Text(
    "用户名“{username}”不可用；请用 2–40 个小写字母、数字或 . _ -。",
    "The user name “{username}” cannot be used; give 2–40 lower-case letters, digits or . _ -",
)
_NO_ROLE = Text(
    "没有角色“{role}”；可选：{allowed}。", "There is no role “{role}”; choose one of {allowed}."
)
_NO_USER = Text("没有这个账号。", "There is no such account.")
_LAST_ADMIN = Text(
    "这是最后一个可用的系统管理员，不能停用或改角色；请先指定另一位系统管理员。",
    "This is the last active administrator; it cannot be suspended or given another role. Make "
    "someone else an administrator first.",
)
_OLD_WRONG = Text("旧密码不正确。", "The old password is wrong.")

_NAME = re.compile(r"[a-z0-9._-]{2,40}")


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What an administrator changes of an account; None leaves it as it is."""

    display_name: str | None = None
    role: str | None = None
    active: bool | None = None
    reset_password: bool = False


def sign_in(hub: Hub, username: str, password: str, address: str) -> str:
    """Check a name and a password; the token of a new session.

    Raises NotSignedIn (the same for a wrong name, a wrong password and a suspended account) or
    TooMany. The password is checked outside any transaction: that takes long on purpose.
    """
    with hub.write() as tx:
        tries = throttle.count_try(tx, username, address)
        found = tx.execute(
            sa.select(user_account).where(user_account.c.username == username)
        ).first()
    right = passwords.verify(found.password_hash if found else _nobody_hash(), password)
    if not (found and right and found.active):
        with hub.write() as tx:
            throttle.wrong(tx, tries)
        raise NotSignedIn("wrong_credentials", WRONG_CREDENTIALS)
    new_hash = None
    if passwords.needs_rehash(found.password_hash):
        new_hash = passwords.hash_password(password)
    with hub.write() as tx:
        throttle.forgive(tx, tries)
        if new_hash:
            _set(tx, found.id, password_hash=new_hash)
        _set(tx, found.id, last_seen_at=clock.wall())
        return sessions.start(tx, found.id)


def change_password(hub: Hub, who: sessions.SignedIn, old: str, new: str, address: str) -> str:
    """Set one's own password; every session ends, and the token of a new one is the answer."""
    with hub.write() as tx:
        tries = throttle.count_try(tx, who.username, address)
        found = _get(tx, who.actor.id)
    if not passwords.verify(found.password_hash, old):
        with hub.write() as tx:
            throttle.wrong(tx, tries)
        raise BadInput("old_password_wrong", _OLD_WRONG)
    passwords.check_new(found.username, new, old)
    new_hash = passwords.hash_password(new)
    with hub.write() as tx:
        throttle.forgive(tx, tries)
        _set(tx, found.id, password_hash=new_hash, must_change_password=False)
        sessions.revoke(tx, user_id=found.id)
        return sessions.start(tx, found.id)


def accounts(connection: Connection) -> list[Any]:
    """Every account, by name."""
    return list(connection.execute(sa.select(user_account).order_by(user_account.c.username)))


def create(
    hub: Hub,
    catalogue: Catalogue,
    username: str,
    display_name: str,
    role: str,
    *,
    must_change: bool = True,
) -> tuple[Any, str]:
    """A new account and its first password, which is shown once."""
    if not _NAME.fullmatch(username):
        raise BadInput("bad_username", _BAD_NAME, username=username[:40])
    _check_role(catalogue, role)
    password, id_ = passwords.first_password(), uuid7()
    values = {
        "id": id_, "username": username, "display_name": display_name, "role": role,
        "password_hash": passwords.hash_password(password), "active": True,
        "must_change_password": must_change, "created_at": clock.wall(), "last_seen_at": None,
    }  # fmt: skip
    with hub.write() as tx:
        if tx.scalar(sa.select(user_account.c.id).where(user_account.c.username == username)):
            raise Conflict("username_taken", _TAKEN, username=username)
        tx.execute(user_account.insert().values(values))
        return _get(tx, id_), password


def change(hub: Hub, catalogue: Catalogue, id_: str, what: AccountChange) -> tuple[Any, str | None]:
    """Change an account; a new password when it was reset. Its sessions end where they must."""
    if what.role is not None:
        _check_role(catalogue, what.role)
    given = {"display_name": what.display_name, "role": what.role, "active": what.active}
    values: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    password = None
    if what.reset_password:
        password = passwords.first_password()
        values["password_hash"] = passwords.hash_password(password)
        values["must_change_password"] = True
    with hub.write() as tx:
        found = _get(tx, id_)
        loses = (what.role or found.role) != found.role or what.active is False
        if found.role == "admin" and found.active and loses:
            _keep_one_admin(tx, id_)
        if values:
            _set(tx, id_, **values)
        if loses or what.reset_password:
            sessions.revoke(tx, user_id=id_)
        return _get(tx, id_), password


def by_name(connection: Connection, username: str) -> Any:
    """The account with this user name."""
    found = connection.execute(
        sa.select(user_account).where(user_account.c.username == username)
    ).first()
    if found is None:
        raise NotFound("no_user", _NO_USER)
    return found


def _get(connection: Connection, id_: str) -> Any:
    found = connection.execute(sa.select(user_account).where(user_account.c.id == id_)).first()
    if found is None:
        raise NotFound("no_user", _NO_USER)
    return found


def _set(tx: Connection, id_: str, **values: Any) -> None:
    tx.execute(user_account.update().where(user_account.c.id == id_).values(**values))


def _check_role(catalogue: Catalogue, role: str) -> None:
    allowed = [r.code for r in catalogue.of(Role)]
    if role not in allowed:
        raise BadInput("no_role", _NO_ROLE, role=role[:48], allowed=", ".join(allowed))


def _keep_one_admin(tx: Connection, id_: str) -> None:
    admins = (
        sa.select(user_account.c.id)
        .where(user_account.c.role == "admin", user_account.c.active)
        .order_by(user_account.c.id)
        # Locked, or two administrators could suspend each other at the same moment.
        .with_for_update()
    )
    if set(tx.scalars(admins)) <= {id_}:
        raise Conflict("last_admin", _LAST_ADMIN)


@cache
def _nobody_hash() -> str:
    # Checked when the user is unknown, so that the answer takes as long as for a known one.
    return passwords.hash_password(passwords.first_password())
