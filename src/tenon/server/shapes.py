"""The shapes that every answer of the HTTP API shares: models, texts in two languages, errors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A frozen API model that refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Text(Model):
    """A text in both languages."""

    zh: str
    en: str


class ErrorBody(Model):
    """The one error shape: `{"error": {...}}`."""

    code: str
    message: Text
    params: dict[str, Any] = {}
    request_id: str


class ErrorAnswer(Model):
    """An error answer."""

    error: ErrorBody
