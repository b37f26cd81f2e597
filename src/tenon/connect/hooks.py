"""The webhook door: checked, written down, answered; what it says is worked in afterwards.

The answer comes after a durable write of the event and of the job that works it in, in one
transaction: a sender who was answered need not send again, and one who was not may.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from tenon.access.errors import NotSignedIn
from tenon.connect import hook_limit
from tenon.connect.deps import ConnectDeps
from tenon.connect.hook_signature import problem
from tenon.connect.tables import hook_event
from tenon.define.models import HookDef
from tenon.jobs.queue import NewJob, enqueue
from tenon.kernel import clock, faults
from tenon.kernel.errors import BadInput, Config, Conflict, NotFound
from tenon.kernel.ids import uuid7
from tenon.kernel.text import Text
from tenon.store import announce
from tenon.store.upsert import insert_new

KIND: Final = "hook"
LONGEST_BODY: Final = 256 * 1024
_LONGEST: Final = 100
_LARGEST_EXPONENT: Final = 100  # written out, 1e999999999 would be a gigabyte

_NO_HOOK = Text("没有这个接收地址。", "There is no such webhook.")
_UNSIGNED = Text(
    "签名无效：缺少、不正确、重复，或时间戳超出 {seconds} 秒。请核对密钥和发送方的时钟。",
    "The signature is missing, wrong or doubled, or its timestamp is more than {seconds} s off. "
    "Check the secret and the sender's clock.",
)
_NOT_JSON = Text(
    "请求体不是有效的 JSON 对象（{problem}）。", "The body is no valid JSON object ({problem})."
)
_NO_FIELD = Text(
    "请求体的“{field}”必须是 1 至 {longest} 个可显示字符的文本或整数。",
    "The body's “{field}” must be a text of 1 to {longest} printable characters, or an integer.",
)
_OTHER_BODY = Text(
    "事件“{event}”此前以不同的内容收到过；同一事件编号不能有两种内容。",
    "The event “{event}” came before with another body; one event id cannot mean two things.",
)

Received = Literal["received", "duplicate"]


@dataclass(frozen=True, slots=True)
class Message:
    """What came in: the raw body, and every value of each header by its lower-case name."""

    body: bytes
    headers: Mapping[str, Sequence[str]]
    address: str


def receive(deps: ConnectDeps, code: str, message: Message) -> tuple[str, Received]:
    """Check and keep a webhook; the event's id, and whether it was known before.

    NotFound for a hook that is not there or has no secret, NotSignedIn when the signature does
    not hold, BadInput for a body that is no event, Conflict for a known id with another body.
    """
    hook, secret = _open(deps, code)
    hook_limit.refuse_many(code, message.address)
    _verify(deps, hook, secret, message)
    body = parsed(message.body)
    event, lane = _field(body, hook.event), _field(body, hook.lane)
    row = {
        "id": uuid7(), "hook": code, "event": event, "lane": lane,
        "hash": blake2b(message.body, digest_size=16).hexdigest(),
        "body": message.body.decode(), "received_at": clock.now(), "state": "received",
    }  # fmt: skip
    new = NewJob(KIND, {"event": row["id"]}, key=f"hook:{code}:{event}", lane=f"{code}:{lane}")
    with deps.hub.write() as tx:
        kept = insert_new(tx, hook_event).values(row).returning(hook_event.c.id)
        if tx.scalar(kept) is not None:
            enqueue(tx, [new])
            announce(tx, "hook_event")
            known = None
        else:
            known = _hash(tx, code, event)
        faults.point("hook.store.before")
    faults.point("hook.store.after")
    if known is None:
        return event, "received"
    if known != row["hash"]:
        raise Conflict("event_differs", _OTHER_BODY, event=event)
    return event, "duplicate"


def parsed(raw: bytes | str) -> dict[str, Any]:
    """A webhook's body; BadInput unless it is one JSON object whose keys are all different.

    UTF-8 without a mark, as JSON is: bytes given to the parser would pass as UTF-16 too.
    """
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        body = json.loads(
            text, object_pairs_hook=_once, parse_float=_number, parse_constant=_no_number
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadInput("bad_json", _NOT_JSON, problem=str(error)[:100]) from None
    if not isinstance(body, dict):
        raise BadInput("bad_json", _NOT_JSON, problem="object")
    return body


def _open(deps: ConnectDeps, code: str) -> tuple[HookDef, str]:
    """The hook and its secret; one without a secret is not there (S12)."""
    try:
        hook = deps.catalogue().hook(code)
        secret = deps.connections.hook_secret(hook.source)
    except (NotFound, Config):
        secret = None
    if secret is None:
        raise NotFound("unknown_hook", _NO_HOOK)
    return hook, secret


def _verify(deps: ConnectDeps, hook: HookDef, secret: str, message: Message) -> None:
    how = hook.signature
    wrong = problem(
        how, secret, message.headers.get(how.header.lower(), ()),
        message.headers.get(how.timestamp.lower(), ()), message.body, clock.wall().timestamp(),
    )  # fmt: skip
    if wrong is not None:
        hook_limit.count(deps.hub, hook.code, message.address, wrong)
        raise NotSignedIn("bad_signature", _UNSIGNED, seconds=how.tolerance_seconds)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _number(text: str) -> Decimal:
    number = Decimal(text)
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("a number is out of range")
    return number


def _no_number(text: str) -> Decimal:
    raise ValueError(f"{text} is no number")


def _field(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not (0 < len(text) <= _LONGEST) or not text.isprintable():
        raise BadInput("bad_event", _NO_FIELD, field=name, longest=_LONGEST)
    return text


def _hash(tx: Connection, code: str, event: str) -> str | None:
    h = hook_event.c
    return tx.scalar(sa.select(h.hash).where(h.hook == code, h.event == event))
