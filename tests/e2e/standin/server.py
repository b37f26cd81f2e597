"""A stand-in for the server: the same routes and models, over an invented plant in memory.

The browser app is tested against it in states a real plant is rarely in, and developed against
it: `python -m uvicorn tests.e2e.standin.server:app --port 8000`. Its accounts are named like the
roles and take any password but `wrong`. A search for `500`, `busy` or `slow` does what it says.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from tenon.server.pages import STATIC, Pages
from tests.e2e.standin import (
    connecting,
    doors,
    flows,
    lineage,
    live,
    orders,
    people,
    planning,
    session,
    syncs,
)
from tests.e2e.standin.rules import Refused

app = FastAPI(title="Tenon", openapi_url="/api/openapi.json")
for room in (session, orders, syncs, lineage, connecting, people, flows, planning, doors, live):
    app.include_router(room.routes)
app.router.default = Pages(STATIC)


@app.exception_handler(Refused)
async def _refused(request: Request, error: Refused) -> JSONResponse:
    body = {
        "code": error.code,
        "message": {"zh": error.zh, "en": error.en},
        "params": {},
        "request_id": "req-7f3a",
    }
    return JSONResponse(
        {"error": body}, error.status, {"Retry-After": "5"} if error.status == 503 else None
    )
