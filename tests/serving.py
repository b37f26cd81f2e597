"""A real server on a thread, over a fresh home, with an account for each role."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tenon.access import accounts
from tenon.assembly import Tenon, open_tenon
from tenon.assembly.home import HomeSettings, write_settings
from tenon.server.app import create_app

ROLES = ("admin", "planner", "manager", "sales", "worker")


@dataclass
class Serving:
    """A running Tenon and the passwords of its accounts."""

    tenon: Tenon
    url: str
    passwords: dict[str, str]
    clients: list[httpx.Client] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.Client:
        """A browser that has not signed in."""
        made = httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False)
        self.clients.append(made)
        return made

    def signed_in(self, username: str, password: str | None = None) -> httpx.Client:
        """A browser signed in as the account, which sends the security token by itself."""
        client = self.client()
        answer = sign_in(client, username, password or self.passwords[username])
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return client


def sign_in(client: httpx.Client, username: str, password: str) -> httpx.Response:
    return client.post("/api/session", json={"username": username, "password": password})


@contextmanager
def serving(
    home: Path, hub_url: str | None = None, static: Path | None = None, **settings: Any
) -> Iterator[Serving]:
    """Serve a fresh home until the end of the block."""
    write_settings(home, HomeSettings(hub=hub_url, **settings))
    with open_tenon(home) as tenon:
        passwords = {
            role: accounts.create(
                tenon.hub, tenon.catalogue, role, role.title(), role, must_change=False
            )[1]
            for role in ROLES
        }
        app = create_app(tenon, static) if static else create_app(tenon)
        config = uvicorn.Config(
            app, port=0, log_level="error", access_log=False, server_header=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        found = Serving(tenon, f"http://127.0.0.1:{port}", passwords)
        try:
            yield found
        finally:
            for client in found.clients:
                client.close()
            server.should_exit = True
            thread.join(10)
