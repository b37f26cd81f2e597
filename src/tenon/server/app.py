"""The web application: routes by resource, one error shape, one shell."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from tenon import __version__
from tenon.assembly import Tenon
from tenon.server import errors
from tenon.server.guard import is_https
from tenon.server.live import Live
from tenon.server.pages import STATIC, Pages
from tenon.server.routes import ROUTERS
from tenon.server.shell import Shell


def create_app(tenon: Tenon, static: Path = STATIC) -> FastAPI:
    """The app that serves an open Tenon."""
    app = FastAPI(
        title="Tenon", version=__version__, docs_url=None, redoc_url=None, openapi_url=None,
        redirect_slashes=False, responses=errors.DOCUMENTED,
    )  # fmt: skip
    app.state.tenon = tenon
    app.state.live = Live(tenon)
    for router in ROUTERS:
        app.include_router(router)
    errors.add_to(app)
    app.router.default = Pages(static)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(Shell, https=is_https(tenon))
    return app


def routes() -> list[APIRoute]:
    """Every route of the API."""
    return [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]
