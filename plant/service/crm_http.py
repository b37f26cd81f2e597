"""The CRM's HTTP service: bearer token, paging, a request limit."""

import hmac
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from plant.service.crm_data import BadRequest, CrmData

REQUESTS_A_SECOND = 50


class RequestLimit:
    """Lets so many requests through in any one second."""

    def __init__(self, rate: int = REQUESTS_A_SECOND) -> None:
        self._rate = rate
        self._times: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Count a request; tell whether it may pass."""
        with self._lock:
            now = time.monotonic()
            while self._times and now - self._times[0] > 1:
                self._times.popleft()
            if len(self._times) >= self._rate:
                return False
            self._times.append(now)
            return True


class CrmServer(ThreadingHTTPServer):
    """The CRM listening on a port of this machine."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port: int, data: CrmData, token: str) -> None:
        super().__init__(("127.0.0.1", port), CrmHandler)
        self.data, self.token, self.limit = data, token, RequestLimit()


class CrmHandler(BaseHTTPRequestHandler):
    """Answers one connection to the CRM."""

    protocol_version = "HTTP/1.1"
    server_version = "PlantCRM/1.0"
    disable_nagle_algorithm = True
    timeout = 60

    def do_GET(self) -> None:
        """Answer a GET request."""
        server = cast(CrmServer, self.server)
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {server.token}".encode()):
            self._answer(
                401,
                {"error": "A bearer token is needed: Authorization: Bearer <token>."},
                {"WWW-Authenticate": "Bearer"},
            )
        elif not server.limit.take():
            self._answer(
                429,
                {"error": f"More than {REQUESTS_A_SECOND} requests in a second; wait one second."},
                {"Retry-After": "1"},
            )
        else:
            try:
                self._route(server.data)
            except BadRequest as problem:
                self._answer(400, {"error": str(problem)})

    def _route(self, data: CrmData) -> None:
        parts = urlsplit(self.path)
        names = [unquote(name) for name in parts.path.strip("/").split("/")]
        if len(names) == 2 and names[0] == "api" and names[1] in data.kinds():
            self._answer(200, data.page(names[1], dict(parse_qsl(parts.query))))
        elif len(names) == 3 and names[:2] == ["api", "orders"]:
            order = data.order(names[2])
            problem = {"error": f"There is no order {names[2]!r}."}
            self._answer(200 if order else 404, order or problem)
        else:
            paths = ", ".join(f"/api/{kind}" for kind in data.kinds())
            self._answer(404, {"error": f"{parts.path} is not here; there are {paths}."})

    def _answer(
        self, status: int, body: dict[str, Any], more: dict[str, str] | None = None
    ) -> None:
        raw = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in (more or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Keep quiet: a poll every few seconds would drown the plant's own lines."""
