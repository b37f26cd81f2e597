"""The shell around every request: its number, its size, the security headers, the last catch."""

from __future__ import annotations

import logging
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tenon.kernel.ids import uuid7
from tenon.server import errors

log = logging.getLogger("tenon.server")

_NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
MAX_BODY: Final = 1_000_000
_ONE_YEAR = "max-age=31536000; includeSubDomains"


class Shell:
    """Gives each request a number and each answer the security headers; no error escapes it."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["request_id"] = number = uuid7()
        begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._complete(MutableHeaders(scope=message), number, scope["path"])
            await send(message)

        try:
            if _length(scope) > MAX_BODY:
                code, text = errors.of_status(413)
                refusal = errors.answer(Request(scope), 413, code, text)
                await refusal(scope, receive, send_with_headers)
                return
            await self._app(scope, _limited(receive), send_with_headers)
        except Exception:
            log.exception("%s %s %s", number, scope["method"], printable(scope["path"]))
            if begun:
                raise
            await errors.internal(Request(scope))(scope, receive, send_with_headers)

    def _complete(self, headers: MutableHeaders, number: str, path: str) -> None:
        headers["X-Request-ID"] = number
        headers.setdefault("Content-Security-Policy", _NOTHING)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)
        if path.startswith("/api"):
            headers.setdefault("Cache-Control", "no-store")
        if self._https:
            headers["Strict-Transport-Security"] = _ONE_YEAR


def _length(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "0")
    return int(length) if length.isascii() and length.isdigit() else 0


def _limited(receive: Receive) -> Receive:
    """Count what is read: a chunked request does not say its length."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise HTTPException(413)
        return message

    return limited


def printable(text: str) -> str:
    """A text of the request for the log: one line, without control characters."""
    return re.sub(r"[^\x20-\x7e]", "?", text)[:200]
