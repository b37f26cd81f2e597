"""The routes by resource, one file each: thin, they call the services."""

from __future__ import annotations

from fastapi import APIRouter

from tenon.server.routes import (
    boards,
    connecting,
    definitions,
    flows,
    hooks,
    lineage,
    live,
    masters,
    notices,
    orders,
    planning,
    report,
    session,
    settings,
    sources,
    syncs,
    users,
)

ROUTERS: tuple[APIRouter, ...] = (
    settings.routes,
    session.routes,
    orders.routes,
    planning.routes,
    report.routes,
    boards.routes,
    sources.routes,
    lineage.routes,
    connecting.routes,
    syncs.routes,
    masters.routes,
    users.routes,
    definitions.routes,
    flows.routes,
    hooks.routes,
    live.routes,
    notices.routes,
)
