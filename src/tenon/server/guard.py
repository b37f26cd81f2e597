"""Who may call a route: declared at the route, decided before anything of the request is read.

A route names a capability, or says `signed_in` or `public`; one that says nothing cannot be made.
The decision belongs to the route that matched, never to the text of the path.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tenon.access import sessions
from tenon.access.errors import MUST_CHANGE, NOT_SIGNED_IN, NotSignedIn
from tenon.access.policy import CAPABILITIES
from tenon.assembly import Tenon
from tenon.kernel.errors import Bug, NotAllowed
from tenon.kernel.text import Text
from tenon.records.ports import Actor

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER: Final = "x-csrf-token"

_UNGUARDED = Text(
    "路由 {path} 必须且只能声明一个权限（现有 {count} 个）。",
    "The route {path} must declare exactly one guard: requires(…), signed_in or public; it has "
    "{count}.",
)
_FOREIGN = Text(
    "请求来自其他网站（{origin}），已拒绝；请在 Tenon 页面中操作。",
    "The request comes from another site ({origin}) and was refused; act from Tenon's own pages.",
)
_CSRF = Text(
    "请求缺少有效的安全令牌；请刷新页面后重试。",
    "The request carries no valid security token; reload the page and try again.",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the actor, their session, and the Tenon they call."""

    tenon: Tenon
    address: str
    signed_in: sessions.SignedIn | None
    token: str | None

    @property
    def actor(self) -> Actor:
        """The actor; a public route has none."""
        return self.session.actor

    @property
    def session(self) -> sessions.SignedIn:
        """The session; NotSignedIn on a public route without one."""
        if self.signed_in is None:
            raise NotSignedIn("not_signed_in", NOT_SIGNED_IN)
        return self.signed_in


@dataclass(frozen=True)
class Guard:
    """What a route asks of its caller; as a dependency it hands over the caller."""

    capability: str | None
    public: bool = False
    first_password: bool = False

    def __call__(self, request: Request) -> Caller:
        """Give the caller that `decide` let in."""
        caller: Caller = request.state.caller
        return caller

    @property
    def name(self) -> str:
        """The guard as the permission table names it."""
        return "public" if self.public else self.capability or "signed_in"

    def decide(self, request: Request) -> Caller:
        """Let the caller in or raise; the first refusal that holds is the one told."""
        tenon: Tenon = request.app.state.tenon
        token = request.cookies.get(cookie_name(tenon))
        unsafe = request.method not in SAFE_METHODS
        if unsafe:
            _refuse_other_sites(request, tenon)
        with tenon.hub.read() as connection:
            tenon.refresh(connection)
            who = sessions.find(connection, token) if token else None
        address = request.client.host if request.client else ""
        caller = Caller(tenon, address, who, token if who else None)
        if not self.public:
            self._admit(caller, request if unsafe else None)
        return caller

    def _admit(self, caller: Caller, unsafe: Request | None) -> None:
        who = caller.session
        if unsafe and not _right_csrf(unsafe, caller.token or ""):
            raise NotAllowed("csrf", _CSRF)
        if who.must_change_password and not self.first_password:
            raise NotAllowed("must_change_password", MUST_CHANGE)
        if self.capability:
            caller.tenon.policy.require(who.actor, self.capability)
        if who.seen_long_ago:
            with caller.tenon.hub.write() as tx:
                sessions.touch(tx, who)


def requires(capability: str) -> Any:
    """Only callers whose role includes the capability."""
    if capability not in CAPABILITIES:
        message = f"unknown capability {capability!r}; one of {', '.join(CAPABILITIES)}"
        raise ValueError(message)
    return Depends(Guard(capability))


# `first_password`: also before a first password was changed (to change it, to sign out).
signed_in: Final = Depends(Guard(None))
signed_in_first: Final = Depends(Guard(None, first_password=True))
public: Final = Depends(Guard(None, public=True))


class GuardedRoute(APIRoute):
    """A route that decides who may call it before body and parameters are looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Put the guard in front of the route's handler."""
        guard, handler = guard_of(self), super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.caller = await run_in_threadpool(guard.decide, request)
            return await handler(request)

        return guarded


def guard_of(route: APIRoute) -> Guard:
    """The one guard of a route; Bug when it declares none or several."""
    found = [d.call for d in _below(route.dependant) if isinstance(d.call, Guard)]
    if len(found) != 1:
        raise Bug("unguarded_route", _UNGUARDED, path=route.path, count=len(found))
    return found[0]


def router(tag: str) -> APIRouter:
    """A router below /api whose every route must be guarded."""
    return APIRouter(prefix="/api", tags=[tag], route_class=GuardedRoute)


def cookie_name(tenon: Tenon) -> str:
    """The session cookie; `__Host-` binds it to this very host where HTTPS allows that."""
    return "__Host-tenon_session" if is_https(tenon) else "tenon_session"


def is_https(tenon: Tenon) -> bool:
    """Whether this Tenon's public address is HTTPS."""
    return tenon.settings.public_url.startswith("https://")


def _below(dependant: Dependant) -> list[Dependant]:
    return [d for child in dependant.dependencies for d in (child, *_below(child))]


def _refuse_other_sites(request: Request, tenon: Tenon) -> None:
    origin = request.headers.get("origin")
    if origin is None:
        # Browsers always send one of the two with an unsafe request; programs send neither.
        foreign = request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}
        origin = "?"
    else:
        host = request.headers.get("host", "")
        foreign = origin != tenon.settings.public_url and urlsplit(origin).netloc != host
    if foreign:
        raise NotAllowed("foreign_origin", _FOREIGN, origin=origin[:200])


def _right_csrf(request: Request, token: str) -> bool:
    given = request.headers.get(CSRF_HEADER, "")
    return hmac.compare_digest(given.encode(), sessions.csrf_token(token).encode())
