"""Errors, classed by what the reader can do about them.

A message says what happened, the value received, the values allowed, and what to do next.
`code` and `params` are data, so the interface can word the error in the reader's language;
they never carry a secret.
"""

from __future__ import annotations

from typing import Any, ClassVar

from tenon.kernel.text import Text


class TenonError(Exception):
    """Any error Tenon raises on purpose."""

    recovery: ClassVar[str] = "bug"

    def __init__(self, code: str, text: Text, /, **params: Any) -> None:
        self.code = code
        self.params = params
        self.text = text.format(**params)
        super().__init__(f"{code}: {self.text.en}")


class Config(TenonError):
    """A definition or setting is wrong: mend it, then try again."""

    recovery = "config"


class NeedsUser(TenonError):
    """A person must act: sign in, ask for permission, correct the input."""

    recovery = "needs_user"


class NotFound(NeedsUser):
    """There is no such thing, or it is not yours to see: the two look alike on purpose."""


class NotAllowed(NeedsUser):
    """The actor's role does not include this."""


class BadInput(NeedsUser):
    """A value was refused; nothing was changed."""


class Conflict(NeedsUser):
    """Someone else was first: look again, then decide."""


class Retry(TenonError):
    """A passing fault: trying again later may work."""

    recovery = "retry"


class SetAside(TenonError):
    """One row cannot be applied; it keeps its reason and its bytes, and others go on."""

    recovery = "set_aside"


class Stop(TenonError):
    """Going on would do harm (a locked login, a vanished table): stop and ask."""

    recovery = "stop"


class Bug(TenonError):
    """Something that must not happen has happened."""
