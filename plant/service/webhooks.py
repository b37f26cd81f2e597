"""Sending the CRM's webhooks: signed, in order, again until they are taken."""

import hashlib
import hmac
import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime

from plant.calendar import ZONE
from plant.service.crm_data import CrmData

POLL_SECONDS = 0.3
LONGEST_PAUSE = 30.0


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the signature of a webhook: HMAC-SHA256 over timestamp, a dot and the raw body."""
    return (
        "sha256=" + hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    )


class WebhookSender(threading.Thread):
    """Posts what lies in the outbox to one URL."""

    def __init__(self, data: CrmData, url: str, secret: bytes) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._data, self._url, self._secret = data, url, secret

    def run(self) -> None:
        """Send for as long as the process lives."""
        pause = POLL_SECONDS
        while True:
            try:
                sent_all = self._send_pending()
            except sqlite3.OperationalError:
                sent_all = False  # the plant is just writing; the next round will do
            pause = POLL_SECONDS if sent_all else min(LONGEST_PAUSE, pause * 2)
            time.sleep(pause)

    def _send_pending(self) -> bool:
        db = self._data.connect()
        try:
            rows = db.execute(
                "SELECT * FROM crm_outbox WHERE sent_at IS NULL ORDER BY at, id LIMIT 200"
            ).fetchall()
            stuck: set[str] = set()  # orders whose event was refused: theirs wait, others go on
            for row in rows:
                if row["order_id"] in stuck:
                    continue
                taken = self._post(row)
                now = datetime.now(ZONE).isoformat() if taken else None
                db.execute(
                    "UPDATE crm_outbox SET attempts = attempts + 1, sent_at = ? WHERE id = ?",
                    (now, row["id"]),
                )
                db.commit()
                if taken is None:
                    return False  # nobody is there
                if not taken:
                    stuck.add(row["order_id"])
            return not stuck
        finally:
            db.close()

    def _post(self, row: sqlite3.Row) -> bool | None:
        """Post one event, signed now: whether it was taken; None when nobody answered."""
        fields = ("id", "type", "order_id", "revision", "at")
        body = json.dumps({name: row[name] for name in fields}).encode()
        timestamp = str(int(time.time()))
        request = urllib.request.Request(
            self._url,
            data=body,
            method="POST",
            headers={
                "Content-Type": "application/json",
                "X-CRM-Timestamp": timestamp,
                "X-CRM-Signature": sign(self._secret, timestamp, body),
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return bool(200 <= answer.status < 300)
        except urllib.error.HTTPError as error:
            return None if error.code in (429, 503) else False
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None
