"""The pages of the browser app: built files, and the app itself at every other address."""

from __future__ import annotations

import posixpath
import secrets
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from tenon.server import errors

STATIC: Final = Path(__file__).parent / "static"
# The build writes this where a nonce belongs; each answer gets its own.
NONCE_MARK: Final = "__CSP_NONCE__"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' {styles}; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_NOT_BUILT = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>榫 Tenon</title></head>
<body><h1>榫 Tenon</h1>
<p>服务器正在运行，但浏览器页面尚未构建。请在源码目录运行 <code>python3 start.py demo</code>，
或安装发布版。</p>
<p>The server runs, but the browser pages are not built. Run <code>python3 start.py demo</code>
in the source folder, or install a release.</p>
</body></html>
"""


class Pages:
    """Answers whatever no route of the API answers."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder
        self._files = StaticFiles(directory=folder, check_dir=False)

    @property
    def built(self) -> bool:
        """Whether the browser app is there."""
        return (self._folder / "index.html").is_file()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        try:
            response = await self._response(scope)
        except HTTPException as error:
            code, text = errors.of_status(error.status_code)
            response = errors.answer(Request(scope), error.status_code, code, text)
        await response(scope, receive, send)

    async def _response(self, scope: Scope) -> Response:
        path = posixpath.normpath("/" + scope["path"].lstrip("/")).lstrip("/")
        if is_api(scope["path"]) or is_api("/" + path):
            raise HTTPException(404)
        if scope["method"] not in {"GET", "HEAD"}:
            raise HTTPException(405)
        if not self.built:
            return HTMLResponse(_NOT_BUILT, 503)
        if path == "r":  # the worker's page is a page of its own, small enough for any phone
            path = "r/index.html"
        # An address of the app has no dot in its last part; a file has one, but not first.
        if "." not in path.rsplit("/", 1)[-1]:
            return self._app_page()
        if any(part.startswith(".") for part in path.split("/")):
            raise HTTPException(404)
        response = await self._files.get_response(path, scope)
        if path.startswith("assets/"):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        else:
            response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = _POLICY.format(styles="")
        return response

    def _app_page(self) -> Response:
        html = (self._folder / "index.html").read_text("utf-8")
        nonce = secrets.token_urlsafe(16)
        # Without the mark the build cannot know the nonce; its style tags must still work.
        styles = f"'nonce-{nonce}'" if NONCE_MARK in html else "'unsafe-inline'"
        return HTMLResponse(
            html.replace(NONCE_MARK, nonce),
            headers={
                "Content-Security-Policy": _POLICY.format(styles=styles),
                "Cache-Control": "no-store",
            },
        )


def is_api(path: str) -> bool:
    """Whether a path, however written, means the API: such a one never gets a page."""
    first = path.replace("\\", "/").lstrip("/").split("/", 1)[0]
    return first.split(";", 1)[0].casefold() == "api"
