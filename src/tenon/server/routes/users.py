"""Accounts, for administrators."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from tenon.access import accounts
from tenon.server.guard import Caller, requires, router
from tenon.server.models import NewUser, User, UserChange, UserCreated

routes = router("users")

Admin = Annotated[Caller, requires("users.manage")]


@routes.get("/users")
def list_users(caller: Admin) -> list[User]:
    """List every account."""
    with caller.tenon.hub.read() as connection:
        return [_user(row) for row in accounts.accounts(connection)]


@routes.post("/users", status_code=201)
def create_user(body: NewUser, caller: Admin) -> UserCreated:
    """Make an account; its first password is shown this once."""
    tenon = caller.tenon
    row, password = accounts.create(
        tenon.hub, tenon.catalogue, body.username, body.display_name, body.role
    )
    return UserCreated(user=_user(row), password=password)


@routes.patch("/users/{user_id}")
def change_user(user_id: UUID, body: UserChange, caller: Admin) -> UserCreated:
    """Change an account; suspension, reset and change of role end its sessions."""
    tenon = caller.tenon
    what = accounts.AccountChange(**body.model_dump())
    row, password = accounts.change(tenon.hub, tenon.catalogue, str(user_id), what)
    return UserCreated(user=_user(row), password=password)


def _user(row: object) -> User:
    return User.model_validate(row)
