"""One client's connection: prelogin, login, then batches and calls until it goes."""

from __future__ import annotations

import re
import select
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tenon.kernel import clock
from tenon.testkit.tds import tokens, wire
from tenon.testkit.tds.arguments import PLACES, arguments, names, titled
from tenon.testkit.tds.database import Database
from tenon.testkit.tds.login import Login, prelogin_option, read_login
from tenon.testkit.tds.parameters import read_parameter
from tenon.testkit.tds.tls import Secured
from tenon.testkit.tds.tokens import SqlError, Table
from tenon.testkit.tds.tsql import Statement, translated

if TYPE_CHECKING:
    from tenon.testkit.tds import TdsServer

_PROCEDURES: Final = {
    1: "sp_cursor", 2: "sp_cursoropen", 7: "sp_cursorfetch", 9: "sp_cursorclose",
    10: "sp_executesql", 11: "sp_prepare", 12: "sp_execute", 13: "sp_prepexec",
    15: "sp_unprepare",
}  # fmt: skip
_CALL: Final = re.compile(r"^\s*(?:exec(?:ute)?\s+)?\[?(?:\w+\]?\.\.?\[?)?(sp_\w+)\]?\b(.*)$",
                          re.IGNORECASE | re.DOTALL)  # fmt: skip
_LOCK_TIMEOUT: Final = re.compile(r"set\s+lock_timeout\s+(-?\d+)", re.IGNORECASE)
_ISOLATION: Final = re.compile(r"set\s+transaction\s+isolation\s+level\s+([\w ]+)", re.IGNORECASE)
_OFF, _ON, _NOT = 0, 1, 2


@dataclass(slots=True)
class Session:
    """A connection."""

    server: TdsServer
    socket: socket.socket
    tls: ssl.SSLContext | None
    stream: wire.Stream = field(init=False)
    version: int = wire.V71
    size: int = 4096
    lock_timeout: int = -1
    isolation: str = "READ COMMITTED"
    prepared: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stream = self.socket

    def run(self) -> None:
        """Serve until the client goes."""
        encryption = self._prelogin()
        login = self._login(encryption)
        if login is None:
            return
        self.server.logins.append(login)
        database = self.server.open()
        try:
            while True:
                kind, body = wire.read_message(self.stream)
                self._answer(database, kind, body)
        finally:
            database.close()

    # --- getting in ---------------------------------------------------------------------------

    def _prelogin(self) -> int:
        kind, body = wire.read_message(self.stream)
        if kind != wire.PRELOGIN:
            raise wire.Closed
        asked = prelogin_option(body, 1, _NOT)
        answer = {"none": _NOT, "login": _OFF, "required": 3}[self.server.encryption]
        if self.server.encryption == "login":  # the client decides
            answer = {_NOT: _NOT, _OFF: _OFF}.get(asked, _ON)
        options = ((0, struct.pack(">BBHH", *self.server.product, 0)), (1, bytes([answer])),
                   (2, b"\0"), (3, b"\0\0\0\0"), (4, b"\0"))  # fmt: skip
        at, head, data = len(options) * 5 + 1, b"", b""
        for code, value in options:
            head += struct.pack(">BHH", code, at + len(data), len(value))
            data += value
        self.stream.sendall(wire.packet(wire.REPLY, head + b"\xff" + data))
        if answer == _NOT:
            return _NOT
        if self.tls is None or asked == _NOT:  # encryption is required, the client has none
            raise wire.Closed
        secured = Secured(self.socket, self.tls)
        secured.handshake()
        self.stream = secured
        return answer

    def _login(self, encryption: int) -> Login | None:
        kind, body = wire.read_message(self.stream)
        if kind != wire.LOGIN:
            raise wire.Closed
        login = read_login(body)
        if encryption == _OFF:
            self.stream = self.socket  # only the login is encrypted
        self.version = min(login.version, self.server.newest)
        self.size = min(max(login.packet_size or 4096, 512), 32767)
        if error := self.server.refusal(login):
            self._send(self._error(error) + tokens.done(self.version, tokens.FAILED))
            return None
        self._send(self._welcome(login))
        return login

    def _welcome(self, login: Login) -> bytes:
        name = login.database or self.server.database
        return b"".join((
            tokens.changed(1, name, "master"),
            tokens.message(5701, f"Changed database context to '{name}'.", 10, self.version),
            tokens.collation(self.server.page),
            tokens.changed(2, "us_english"),
            tokens.login_ack(self.version, self.server.product),
            tokens.changed(4, str(self.size), "4096"),
            tokens.done(self.version),
        ))  # fmt: skip

    # --- requests -----------------------------------------------------------------------------

    def _answer(self, database: Database, kind: int, body: bytes) -> None:
        reader = wire.Reader(body)
        if kind in {wire.BATCH, wire.RPC, wire.TRANSACTION} and self.version >= wire.V72:
            reader.take(reader.u32() - 4)  # headers for notifications and transactions
        try:
            if kind == wire.BATCH:
                said = reader.data[reader.at :].decode("utf-16-le")
                answer = self._batch(database, said)
            elif kind == wire.RPC:
                answer = self._calls(database, reader)
            elif kind == wire.TRANSACTION:
                answer = self._transaction(database, reader.u16())
            elif kind == wire.ATTENTION:
                answer = tokens.done(self.version, tokens.ATTENTION)
            else:
                raise wire.Closed
        except Cancelled:
            answer = tokens.done(self.version, tokens.ATTENTION)
        self._send(answer)

    def _batch(self, database: Database, said: str) -> bytes:
        self.server.asked.append(said)
        call = _CALL.match(said)
        try:
            if call and call[1].lower() != "sp_executesql":
                return self._catalogue(database, call[1].lower(), arguments(call[2]))
            parts = self._run(database, said, {}, tokens.DONE)
        except SqlError as error:
            return self._error(error) + tokens.done(self.version, tokens.FAILED)
        return b"".join(parts) or tokens.done(self.version)

    def _run(
        self, database: Database, said: str, values: Mapping[str, Any], token: int
    ) -> list[bytes]:
        statements = translated(said, self.server.page)
        parts = []
        for at, statement in enumerate(statements, 1):
            more = tokens.MORE if token != tokens.DONE or at < len(statements) else 0
            parts += self._statement(database, statement, values, (token, more))
        return parts

    def _statement(
        self,
        database: Database,
        statement: Statement,
        values: Mapping[str, Any],
        ending: tuple[int, int],
    ) -> list[bytes]:
        token, more = ending
        if statement.kind == "set":
            self._set(statement.text)
            return [tokens.done(self.version, more, 0, token)]
        if statement.kind in {"begin", "commit", "rollback"}:
            database.transaction(statement.kind)
            return [tokens.done(self.version, more, 0, token)]
        self._wait_for_locks(statement)
        found = database.run(statement, values)
        if isinstance(found, int):
            return [tokens.done(self.version, more | tokens.COUNTED, found, token)]
        parts = list(tokens.table(found, self.version))
        return [*parts, tokens.done(self.version, more | tokens.COUNTED, len(found.rows), token)]

    def _set(self, text: str) -> None:
        if match := _LOCK_TIMEOUT.match(text):
            self.lock_timeout = int(match[1])
        elif match := _ISOLATION.match(text):
            self.isolation = match[1].strip().upper()

    def _wait_for_locks(self, statement: Statement) -> None:
        """Wait for a table another program holds, as long as LOCK_TIMEOUT says (-1: for ever)."""
        begun = clock.monotonic()
        while statement.tables & self.server.locked and self.isolation != "SNAPSHOT":
            passed = (clock.monotonic() - begun) * 1000
            if 0 <= self.lock_timeout <= passed:
                raise SqlError(1222, "Lock request time out period exceeded.")
            ready, _, _ = select.select([self.socket], [], [], 0.02)
            if ready:
                if wire.read_message(self.stream)[0] == wire.ATTENTION:
                    raise Cancelled
                raise wire.Closed

    def _transaction(self, database: Database, kind: int) -> bytes:
        number = struct.pack("<Q", 1)
        if kind == 5:
            database.transaction("begin")
            told = tokens.changed_bytes(8, number)
        else:
            database.transaction("commit" if kind == 7 else "rollback")
            told = tokens.changed_bytes(9 if kind == 7 else 10, b"", number)
        return told + tokens.done(self.version)

    # --- calls --------------------------------------------------------------------------------

    def _calls(self, database: Database, reader: wire.Reader) -> bytes:
        answers: list[bytes] = []
        while reader.more():
            name, parameters = self._call(reader)
            more = tokens.MORE if reader.more() else 0
            try:
                parts = self._procedure(database, name, parameters)
                answers += [*parts, tokens.return_status(0)]
                status = more
            except SqlError as error:
                answers.append(self._error(error))
                status = more | tokens.FAILED
            answers.append(tokens.done(self.version, status, 0, tokens.DONE_PROC))
        return b"".join(answers)

    def _call(self, reader: wire.Reader) -> tuple[str, list[tuple[str, Any]]]:
        length = reader.u16()
        if length == 0xFFFF:
            name = _PROCEDURES.get(reader.u16(), "unknown")
        else:
            name = reader.take(length * 2).decode("utf-16-le").lower()
        reader.u16()
        parameters = []
        while reader.more():
            if reader.data[reader.at] in {0xFF, 0x80} and self._ends(reader):
                reader.u8()
                break
            title = reader.text8().lstrip("@")
            reader.u8()
            parameters.append((title, read_parameter(reader)))
        return name, parameters

    def _ends(self, reader: wire.Reader) -> bool:
        return reader.data[reader.at] == (0xFF if self.version >= wire.V72 else 0x80)

    def _procedure(
        self, database: Database, name: str, given: list[tuple[str, Any]]
    ) -> list[bytes]:
        values = [value for _, value in given]
        if name == "sp_executesql":
            return self._parametrised(database, str(values[0]), titled(values, given, 1))
        if name == "sp_prepexec":
            handle = self._keep(str(values[2]), str(values[1] or ""))
            parts = self._parametrised(database, str(values[2]), titled(values[1:], given[1:], 0))
            return [*parts, tokens.return_handle(handle, self.version)]
        if name == "sp_prepare":
            handle = self._keep(str(values[2]), str(values[1] or ""))
            return [tokens.return_handle(handle, self.version)]
        if name == "sp_execute":
            if values[0] not in self.prepared:
                raise SqlError(8179, f"Could not find prepared statement with handle {values[0]}.")
            said, declaration = self.prepared[values[0]].split("\0", 1)
            return self._parametrised(
                database, said, dict(zip(names(declaration), values[1:], strict=False))
            )
        if name == "sp_unprepare":
            self.prepared.pop(values[0], None)
            return []
        asked = {
            title or place: value for (title, value), place in zip(given, PLACES, strict=False)
        }
        return self._listed(database.catalogue_rows(name, asked), tokens.DONE_IN_PROC)

    def _keep(self, said: str, names: str) -> int:
        handle = len(self.prepared) + 1
        self.prepared[handle] = f"{said}\0{names}"
        return handle

    def _parametrised(
        self, database: Database, said: str, values: Mapping[str, Any]
    ) -> list[bytes]:
        self.server.asked.append(said)
        return self._run(database, said, values, tokens.DONE_IN_PROC)

    def _catalogue(self, database: Database, name: str, asked: Mapping[str, Any]) -> bytes:
        parts = self._listed(database.catalogue_rows(name, asked), tokens.DONE_IN_PROC)
        end = tokens.done(self.version, 0, 0, tokens.DONE_PROC)
        return b"".join(parts) + tokens.return_status(0) + end

    def _listed(self, found: Table, token: int) -> list[bytes]:
        end = tokens.done(self.version, tokens.MORE | tokens.COUNTED, len(found.rows), token)
        return [*tokens.table(found, self.version), end]

    def _error(self, error: SqlError) -> bytes:
        return tokens.message(error.number, error.message, error.level, self.version)

    def _send(self, body: bytes) -> None:
        self.stream.sendall(wire.packets(wire.REPLY, body, self.size))


class Cancelled(Exception):
    """The client asked to stop what it had asked for."""
