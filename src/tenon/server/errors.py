"""Errors as HTTP answers: one shape, a fitting status, never a stack trace."""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi import FastAPI
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from tenon.access.errors import NotSignedIn, TooMany
from tenon.kernel.errors import (
    BadInput,
    Conflict,
    NotAllowed,
    NotFound,
    Retry,
    SetAside,
    Stop,
    TenonError,
)
from tenon.kernel.text import Text
from tenon.server.shapes import ErrorAnswer

log = logging.getLogger("tenon.server")

# The first class that fits decides.
_STATUS: Final[tuple[tuple[type[TenonError], int], ...]] = (
    (NotSignedIn, 401),
    (TooMany, 429),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (BadInput, 422),
    (SetAside, 422),
    (Retry, 503),
    (Stop, 503),
)
_RETRY_SECONDS = 5

_OF_STATUS: Final = {
    400: ("bad_request", Text("请求无法读取。", "The request could not be read.")),
    404: ("not_found", Text("没有这个地址。", "There is nothing at this address.")),
    405: ("method_not_allowed", Text("此地址不支持该操作。", "This address does not do that.")),
    413: (
        "too_large",
        Text(
            "请求内容过大；上限 1 MB（webhook 为 256 KB）。",
            "The request is too large; the limit is 1 MB (256 KB for a webhook).",
        ),
    ),
    415: (
        "not_json",
        Text("请以 application/json 发送。", "Send it as application/json."),
    ),
}
_INTERNAL = Text(
    "服务器内部错误；请稍后再试，仍有问题时请把编号 {id} 告诉系统管理员。",
    "Something went wrong on the server. Try again shortly; if it stays, tell an administrator "
    "the number {id}.",
)
_BUSY = Text(
    "数据库暂时不可用；请稍后再试。", "The database cannot be reached just now; try again shortly."
)
_BAD_VALUE = Text(
    "输入中含有数据库无法接受的字符或数值；请修改后重试。",
    "The input has a character or number that the database cannot take; change it and try again.",
)
_BAD_INPUT = Text("请求内容有误：{problems}。", "The request is not right: {problems}.")

# Every refusal is documented on every route: a client may meet any of them.
DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ErrorAnswer, "description": description}
    for status, description in {
        400: "Unreadable",
        401: "Not signed in",
        403: "Not allowed",
        404: "Unknown, or hidden",
        409: "Conflict",
        413: "Too large",
        422: "Bad input",
        429: "Too many tries",
        503: "Busy: try again",
    }.items()
}


def add_to(app: FastAPI) -> None:
    """Answer every error of the app in the one shape."""
    # Starlette types handlers for Exception alone.
    app.add_exception_handler(TenonError, _tenon_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OperationalError, _database)
    app.add_exception_handler(NoConnectionLeft, _database)
    app.add_exception_handler(DataError, _bad_value)


def answer(
    request: Request, status: int, code: str, text: Text, params: dict[str, Any] | None = None
) -> JSONResponse:
    """An error in the one shape."""
    body = {
        "code": code,
        "message": text.as_dict(),
        "params": jsonable_encoder(params or {}),
        "request_id": request_id(request),
    }
    headers = {"Retry-After": str(_RETRY_SECONDS)} if status == 503 else {}
    if status == 429 and params:
        headers["Retry-After"] = str(params.get("seconds", _RETRY_SECONDS))
    return JSONResponse({"error": body}, status, headers)


def request_id(request: Request) -> str:
    """The number of the request, also in its answer's header and in the log."""
    found: str = request.scope.get("state", {}).get("request_id", "")
    return found


def internal(request: Request) -> JSONResponse:
    """The answer to what nobody foresaw."""
    text = _INTERNAL.format(id=request_id(request))
    return answer(request, 500, "internal", text)


def status_of(error: TenonError) -> int:
    """The status an error is answered with; 500 for settings and bugs, which no caller can mend."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def of_status(status: int) -> tuple[str, Text]:
    """The code and the words of a bare HTTP status."""
    return _OF_STATUS.get(status, _OF_STATUS[400])


def _tenon_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, TenonError):
        raise error
    status = status_of(error)
    if status >= 500:
        log.error("%s %s", request_id(request), error, exc_info=error)
    return answer(request, status, error.code, error.text, error.params)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    # Where and what, never the value: it may be a password.
    fields = [
        {"field": ".".join(map(str, e["loc"])), "problem": e["msg"]} for e in error.errors()[:10]
    ]
    problems = "; ".join(f"{f['field']}: {f['problem']}" for f in fields)
    text = _BAD_INPUT.format(problems=problems)
    return answer(request, 422, "bad_input", text, {"fields": fields})


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code, text = of_status(error.status_code)
    found = answer(request, error.status_code, code, text)
    found.headers.update({k: v for k, v in (error.headers or {}).items() if k.lower() == "allow"})
    return found


def _database(request: Request, error: Exception) -> JSONResponse:
    # A line, not a traceback: a database that is down answers thousands of requests so.
    log.warning("%s database: %s", request_id(request), str(error).splitlines()[0])
    return answer(request, 503, "database_unavailable", _BUSY)


def _bad_value(request: Request, error: Exception) -> JSONResponse:
    # A NUL in a text, for one, which PostgreSQL refuses and SQLite takes.
    log.warning("%s %s", request_id(request), type(error).__name__)
    return answer(request, 422, "bad_value", _BAD_VALUE)
