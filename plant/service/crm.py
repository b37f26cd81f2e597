"""The CRM as a process: serves its file, sends its webhooks, ends with the plant."""

import os
import sys
import threading
from pathlib import Path

from plant.paths import path_of, read_json, write_json
from plant.service.crm_data import CrmData
from plant.service.crm_http import CrmServer
from plant.service.webhooks import WebhookSender


def serve_crm(
    home: Path,
    port: int,
    *,
    webhook_url: str | None = None,
    webhook_secret: bytes | None = None,
    with_parent: bool = False,
) -> None:
    """Serve the CRM of the plant in `home` until the process is ended."""
    data = CrmData(path_of(home, "crm"))
    token = (home / "crm" / "token").read_text(encoding="ascii").strip()
    server = CrmServer(port, data, token)
    address = f"http://127.0.0.1:{server.server_address[1]}/api"
    _tell_address(home, address)
    if webhook_url:
        if not webhook_secret:
            raise ValueError(
                "A webhook URL was given without a secret; name a file that holds one with "
                "--webhook-secret-file."
            )
        WebhookSender(data, webhook_url, webhook_secret).start()
    if with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"CRM  {address}", flush=True)
    server.serve_forever()


def _tell_address(home: Path, address: str) -> None:
    path = home / "plant.json"
    values = read_json(path)
    if values["systems"]["crm"]["base_url"] != address:
        values["systems"]["crm"]["base_url"] = address
        write_json(path, values)


def _end_with_parent() -> None:
    """End when the pipe from the plant closes, which it does however the plant ends."""
    sys.stdin.buffer.read()
    os._exit(0)
