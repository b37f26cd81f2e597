"""Settings and the session of the stand-in."""

from __future__ import annotations

from fastapi import APIRouter

from tenon.server import models as m
from tenon.server.shapes import Text
from tests.e2e.standin.data import NOW
from tests.e2e.standin.rules import CAN, NAMES, STATE, Refused, need

routes = APIRouter()


@routes.get("/api/settings")
def settings() -> m.Settings:
    """Public facts."""
    return m.Settings(
        product="Tenon",
        version="0.1.0",
        zone="Asia/Shanghai",
        now=NOW,
        demo_pace=60,
        plant=Text(zh="华榫汽车冲压件厂(模拟)", en="Huasun Stamping (simulated)"),
    )


@routes.get("/api/health")
def health() -> dict[str, str]:
    """Alive."""
    return {"status": "ok"}


def _session() -> m.Session:
    role = STATE["user"]
    return m.Session(
        user_id=f"u-{role}",
        username=role,
        display_name=NAMES[role],
        role=role,
        can=CAN[role],
        must_change_password=role == "sales" and role not in STATE["changed"],
        csrf_token="c",
    )


@routes.post("/api/session")
def sign_in(body: m.SignIn) -> m.Session:
    """Any password but `wrong` will do."""
    if body.username not in CAN or body.password == "wrong":
        raise Refused(401, "wrong_credentials", "用户名或密码不对", "Wrong name or password")
    STATE["user"] = body.username
    return _session()


@routes.get("/api/session")
def session() -> m.Session:
    """Who is signed in."""
    need("orders.read")
    return _session()


@routes.delete("/api/session", status_code=204)
def sign_out() -> None:
    """Sign out."""
    STATE["user"] = None


@routes.post("/api/session/password")
def password(body: m.PasswordChange) -> m.Session:
    """Change the password."""
    if body.old == "wrong":
        raise Refused(422, "wrong_password", "原密码不对", "The old password is wrong")
    STATE["changed"].add(STATE["user"])
    return _session()
