"""A person at the screen, whose actions are counted: the keystroke-level model.

Keys, pointing, button presses, the hand's way between mouse and keyboard, and a moment of thought
before each decision, with the times of Card, Moran and Newell for an average person.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import Locator, Page

KEY: Final = 0.28
POINT: Final = 1.1
PRESS: Final = 0.1
HOME: Final = 0.4
THINK: Final = 1.35


@dataclass
class Hand:
    """What was done so far, and with which hand."""

    page: Page
    keys: int = 0
    clicks: int = 0
    homings: int = 0
    thoughts: int = 0
    began: float = field(default_factory=time.monotonic)
    _at_mouse: bool = True

    def click(self, what: Locator) -> None:
        """Decide for something that can be seen, point at it and press."""
        what.wait_for()
        self.thoughts += 1
        self.clicks += 1
        self._to(mouse=True)
        what.click()

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._to(mouse=False)
        self.thoughts += 1
        self.keys += len(text)
        self.page.keyboard.type(text)

    def press(self, key: str) -> None:
        """Press one key."""
        self._to(mouse=False)
        self.keys += 1
        self.page.keyboard.press(key)

    def fill(self, label: str, text: str) -> None:
        """Click into a field by its label and type."""
        self.click(self.page.get_by_label(label, exact=True))
        self.type(text)

    def seconds(self) -> float:
        """How long an average person needs for it; what the machine needs is not counted."""
        return (
            self.keys * KEY + self.clicks * (POINT + 2 * PRESS) + self.homings * HOME
            + self.thoughts * THINK
        )  # fmt: skip

    def said(self) -> str:
        """The count, for people."""
        return (
            f"{self.clicks} clicks, {self.keys} keys, {self.homings} changes of the hand, "
            f"{self.thoughts} decisions: {self.seconds() / 60:.1f} minutes by the keystroke-level "
            f"model ({(time.monotonic() - self.began) / 60:.1f} minutes by this machine's clock)"
        )

    def _to(self, *, mouse: bool) -> None:
        if self._at_mouse is not mouse:
            self.homings += 1
            self._at_mouse = mouse
