"""Signing in and out, and one's own password."""

from __future__ import annotations

from typing import Annotated

from starlette.responses import Response

from tenon.access import accounts, sessions
from tenon.assembly import Tenon
from tenon.server.guard import Caller, cookie_name, is_https, public, router, signed_in_first
from tenon.server.models import PasswordChange, Session, SignIn

routes = router("session")


@routes.post("/session")
def sign_in(body: SignIn, response: Response, caller: Annotated[Caller, public]) -> Session:
    """Sign in; a session that the browser already had ends."""
    tenon = caller.tenon
    token = accounts.sign_in(tenon.hub, body.username, body.password, caller.address)
    if caller.signed_in:
        with tenon.hub.write() as tx:
            sessions.revoke(tx, token_hash=caller.signed_in.token_hash)
    return _begin(tenon, response, token)


@routes.get("/session")
def current(caller: Annotated[Caller, signed_in_first]) -> Session:
    """Tell who is signed in."""
    return _session(caller.tenon, caller.session, caller.token or "")


@routes.delete("/session", status_code=204)
def sign_out(response: Response, caller: Annotated[Caller, signed_in_first]) -> None:
    """Sign out: the session ends on the server."""
    with caller.tenon.hub.write() as tx:
        sessions.revoke(tx, token_hash=caller.session.token_hash)
    response.delete_cookie(
        cookie_name(caller.tenon), httponly=True, samesite="lax", secure=is_https(caller.tenon)
    )


@routes.post("/session/password")
def change_password(
    body: PasswordChange, response: Response, caller: Annotated[Caller, signed_in_first]
) -> Session:
    """Change one's own password; every other session of the account ends."""
    tenon = caller.tenon
    token = accounts.change_password(tenon.hub, caller.session, body.old, body.new, caller.address)
    return _begin(tenon, response, token)


def _begin(tenon: Tenon, response: Response, token: str) -> Session:
    response.set_cookie(
        cookie_name(tenon), token, max_age=int(sessions.ABSOLUTE.total_seconds()), path="/",
        httponly=True, samesite="lax", secure=is_https(tenon),
    )  # fmt: skip
    with tenon.hub.read() as connection:
        who = sessions.find(connection, token)
    if who is None:
        message = "a session just started cannot be missing"
        raise RuntimeError(message)
    return _session(tenon, who, token)


def _session(tenon: Tenon, who: sessions.SignedIn, token: str) -> Session:
    actor = who.actor
    return Session(
        user_id=actor.id, username=who.username, display_name=actor.name, role=actor.role,
        must_change_password=who.must_change_password, can=tenon.policy.capabilities(actor),
        csrf_token=sessions.csrf_token(token),
    )  # fmt: skip
