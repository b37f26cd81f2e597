"""The API models of sessions and accounts."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from tenon.server.shapes import Model, Text


class SignIn(Model):
    """Name and password."""

    username: str = Field(max_length=100)
    password: str = Field(max_length=200)


class PasswordChange(Model):
    """The old password and the new one (at least 10 characters)."""

    old: str = Field(max_length=200)
    new: str = Field(max_length=200)


class Session(Model):
    """Who is signed in and what the interface may offer them."""

    user_id: str
    username: str
    display_name: str
    role: str
    must_change_password: bool
    can: list[str]
    csrf_token: str


class User(Model):
    """An account."""

    id: str
    username: str
    display_name: str
    role: str
    active: bool
    must_change_password: bool
    created_at: datetime
    last_seen_at: datetime | None


class NewUser(Model):
    """A new account; the server makes the first password and shows it once."""

    username: str = Field(pattern=r"^[a-z0-9._-]{2,40}$")
    display_name: str = Field(min_length=1, max_length=100)
    role: str


class UserChange(Model):
    """What an administrator may change of an account."""

    display_name: str | None = Field(default=None, min_length=1, max_length=100)
    role: str | None = None
    active: bool | None = None
    reset_password: bool = False


class UserCreated(Model):
    """An account and its first password, shown once (null when none was made)."""

    user: User
    password: str | None


class Settings(Model):
    """Public facts of this installation, for the shell of the app."""

    product: str
    version: str
    plant: Text
    zone: str
    now: datetime
    demo_pace: float | None = Field(description="Simulated minutes a minute; null on a real clock")
