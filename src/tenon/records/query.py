"""Reading records: filters as JSON trees over declared fields, under the actor's policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from tenon.define.catalogue import Catalogue
from tenon.kernel.errors import BadInput, NotAllowed, NotFound
from tenon.kernel.text import Text
from tenon.records.ports import Actor, Policy
from tenon.records.tables import entity_tables, event

_UNKNOWN_FIELD = Text(
    "“{entity}”没有可用的字段“{field}”。", "“{entity}” has no field “{field}” to use here."
)
_UNKNOWN_OPERATOR = Text(
    "不支持的条件“{op}”；可用：{allowed}。", "Unknown operator “{op}”; use one of {allowed}."
)
_GONE = Text("没有这条记录，或您无权查看。", "There is no such record, or it is not yours to see.")
_HIDDEN = Text(
    "您的角色看不到“{entity}”的字段 {field}。", "Your role does not see {field} of “{entity}”."
)

_OPERATORS: dict[str, Any] = {
    "eq": lambda c, v: c == v,
    "ne": lambda c, v: c != v,
    "lt": lambda c, v: c < v,
    "le": lambda c, v: c <= v,
    "gt": lambda c, v: c > v,
    "ge": lambda c, v: c >= v,
    "in": lambda c, v: c.in_(v),
    "empty": lambda c, v: c.is_(None) if v else c.is_not(None),
    "starts": lambda c, v: c.startswith(v, autoescape=True),
    "contains": lambda c, v: c.contains(v, autoescape=True),
}

Filter = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the records of a catalogue as one actor: the only door to entity tables above."""

    catalogue: Catalogue
    policy: Policy
    actor: Actor

    def table(self, entity: str) -> sa.Table:
        """The entity's table, for queries of code that joins; NotAllowed when all of it is hidden.

        The caller leaves out what `hidden` names; `select` does so by itself.
        """
        self.policy.check_read(self.actor, entity)
        return entity_tables(self.catalogue)[entity]

    def hidden(self, entity: str) -> frozenset[str]:
        """The entity's fields this actor must not see."""
        return self.policy.check_read(self.actor, entity)

    def select(
        self,
        connection: Connection,
        entity: str,
        filter_: Filter | None = None,
        *,
        sort: Sequence[str] = (),
        limit: int = 50,
        offset: int = 0,
    ) -> list[RowMapping]:
        """Records that match; `sort` fields may start with `-`. Hidden fields are left out."""
        table, hidden = self.table(entity), self.hidden(entity)
        columns = [c for c in table.c if c.name not in hidden]
        query = sa.select(*columns).where(table.c.archived_at.is_(None))
        if filter_:
            query = query.where(self.compile(entity, filter_))
        for key in sort:
            column = self._column(entity, key.lstrip("-"))
            query = query.order_by(column.desc() if key.startswith("-") else column)
        found = connection.execute(query.order_by(table.c.id).limit(limit).offset(offset))
        return list(found.mappings())

    def get(self, connection: Connection, entity: str, id_: str) -> RowMapping:
        """One record; NotFound when there is none or it is hidden."""
        found = self.select(connection, entity, {"field": "id", "op": "eq", "value": id_}, limit=1)
        if not found:
            raise NotFound("no_record", _GONE)
        return found[0]

    def compile(self, entity: str, filter_: Filter) -> sa.ColumnElement[bool]:
        """A filter tree `{and|or: […]}`, `{not: …}`, `{field, op, value}` as bound SQL."""
        if "and" in filter_:
            return sa.and_(sa.true(), *(self.compile(entity, f) for f in filter_["and"]))
        if "or" in filter_:
            return sa.or_(sa.false(), *(self.compile(entity, f) for f in filter_["or"]))
        if "not" in filter_:
            return sa.not_(self.compile(entity, filter_["not"]))
        column = self._column(entity, str(filter_.get("field")))
        operator = _OPERATORS.get(str(filter_.get("op")))
        if operator is None:
            allowed = ", ".join(_OPERATORS)
            raise BadInput(
                "unknown_operator", _UNKNOWN_OPERATOR, op=filter_.get("op"), allowed=allowed
            )
        compiled: sa.ColumnElement[bool] = operator(column, filter_.get("value"))
        return compiled

    def _column(self, entity: str, field: str) -> sa.Column[Any]:
        table = self.table(entity)
        if field not in table.c:
            raise BadInput("unknown_field", _UNKNOWN_FIELD, entity=entity, field=field[:80])
        if field in self.hidden(entity):
            raise NotAllowed("hidden_field", _HIDDEN, entity=entity, field=field)
        return table.c[field]

    def history(self, connection: Connection, entity: str, id_: str) -> list[RowMapping]:
        """The events of one record, oldest first."""
        self.get(connection, entity, id_)
        found = connection.execute(
            sa.select(event)
            .where(event.c.entity == entity, event.c.record_id == id_)
            .order_by(event.c.seq)
        )
        return list(found.mappings())
