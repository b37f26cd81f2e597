"""A real HTTP server that answers as a test says, rightly or wrongly, down to the single byte."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tenon.connect.batches import rows_of
from tenon.connect.connectors.http import HttpConnector
from tenon.connect.contract import Calls, ConnectorSettings, NoCalls
from tenon.connect.egress import guard
from tenon.define.models import StreamDef
from tenon.kernel.errors import TenonError


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: str = ""


@dataclass(frozen=True)
class Reply:
    """What is answered: JSON or bytes, or with `raw` exactly these bytes and then the end."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: Iterable[bytes] | None = None


Plan = Callable[[Asked], Reply]


class OddServer(ThreadingHTTPServer):
    """Remembers what it was asked."""

    daemon_threads = True

    def __init__(self, plan: Plan) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.plan = plan
        self.asked: list[Asked] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle_error(self, *_args: Any) -> None: ...  # clients that hang up are wanted here

    def connector(self, calls: Calls | None = None, **values: Any) -> HttpConnector:
        """A connector to this server; `listed` are other ports it may connect to."""
        ports, host = (self.port, *values.pop("listed", ())), values.pop("host", "127.0.0.1")
        listed = [(host, port) for port in ports] + [("127.0.0.1", self.port)]
        settings = {"url": self.url, "page_rows": 3} | values
        given = ConnectorSettings("crm", settings, guard("crm", listed), calls=calls or NoCalls())
        return HttpConnector(given)

    def rows(self, stream: StreamDef, since: Any = None, **values: Any) -> list[dict[str, Any]]:
        """What a connector reads of a stream."""
        connector = self.connector(**values)
        try:
            return read(connector, stream, since)
        finally:
            connector.close()

    def refusal(self, stream: StreamDef, **values: Any) -> TenonError:
        """The error that reading a stream ends with."""
        with pytest.raises(TenonError) as caught:
            self.rows(stream, **values)
        assert caught.value.text.zh
        return caught.value


def read(connector: HttpConnector, stream: StreamDef, since: Any = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for batch in connector.read(stream, since):
        names, values = rows_of(batch)
        found += [dict(zip(names, row, strict=True)) for row in values]
    return found


@contextmanager
def serving(plan: Plan, certificate: Path | None = None) -> Iterator[OddServer]:
    server = OddServer(plan)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OddServer

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        asked = Asked(
            self.command, parts.path, dict(parse_qsl(parts.query)), dict(self.headers),
            self.rfile.read(length).decode(),
        )  # fmt: skip
        self.server.asked.append(asked)
        reply = self.server.plan(asked)
        if reply.raw is None:
            self._answer(reply)
            return
        self.close_connection = True
        for part in reply.raw:
            self.wfile.write(part)
            self.wfile.flush()

    do_POST = do_GET  # noqa: N815  the standard library calls it so

    def _answer(self, reply: Reply) -> None:
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        if reply.status in {204, 304}:
            body = b""
        self.send_response(reply.status)
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        for name, value in (headers | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None: ...
