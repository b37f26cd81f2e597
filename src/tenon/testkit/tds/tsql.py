"""Statements of T-SQL as SQLite understands them: enough for drivers, dialects and our connectors.

What a program sends to look around, read and change rows is translated; what only SQL Server
can answer (`@@VERSION`, `SERVERPROPERTY`) are functions of ours. It is no SQL Server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.sqlite import SQLite

from tenon.testkit.tds.columns import Kind, declared
from tenon.testkit.tds.tokens import SqlError

_SETTING: Final = re.compile(r"\s*set\s+", re.IGNORECASE)
_CATALOGUES: Final = ("sys", "information_schema")
_VARIABLES: Final = frozenset({"version", "spid", "trancount"})


class _Target(SQLite):
    """SQLite with names in backticks: what it does not know in double quotes it takes for text."""

    class Tokenizer(SQLite.Tokenizer):
        """Its words."""

        IDENTIFIERS: ClassVar[list[str | tuple[str, str]]] = ["`"]


def _sqlite(tree: exp.Expr) -> str:
    return tree.sql(_Target, identify=True)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement: its SQLite text, its kind, and what its columns are called."""

    text: str
    kind: str  # select, change, schema, set, begin, commit, rollback
    typing: str = ""  # a select without parameters, for its columns' types
    names: tuple[str | None, ...] = ()  # None: as SQLite calls it
    casts: tuple[Kind | None, ...] = ()
    tables: frozenset[str] = frozenset()
    catalogue: bool = False


@lru_cache(maxsize=512)
def translated(batch: str, page: str) -> tuple[Statement, ...]:
    """The statements of a batch; SqlError 102 for what is not understood."""
    if words := _transaction(batch):
        return words
    found: list[Statement] = []
    rest = []
    for line in batch.split("\n"):
        if _SETTING.match(line):
            found += [Statement(one.strip(), "set") for one in line.split(";") if one.strip()]
        else:
            rest.append(line)
    try:
        trees = sqlglot.parse("\n".join(rest), read="tsql") if "".join(rest).strip() else []
    except sqlglot.errors.SqlglotError as error:
        raise SqlError(102, f"Incorrect syntax ({str(error)[:200]}).", 15) from None
    return (*found, *(_statement(tree, page) for tree in trees if tree is not None))


def _transaction(batch: str) -> tuple[Statement, ...]:
    plain = " ".join(batch.upper().replace(";", " ").split())
    plain = re.sub(r"^IF @@TRANCOUNT (>|=) 0 ", "", plain)
    many = {
        "BEGIN TRAN": "begin", "BEGIN TRANSACTION": "begin", "COMMIT": "commit",
        "COMMIT TRAN": "commit", "COMMIT TRANSACTION": "commit", "ROLLBACK": "rollback",
        "ROLLBACK TRAN": "rollback", "ROLLBACK TRANSACTION": "rollback",
        "COMMIT BEGIN TRANSACTION": "commit", "ROLLBACK BEGIN TRANSACTION": "rollback",
    }  # fmt: skip
    return (Statement("", many[plain]),) if plain in many else ()


def _statement(tree: exp.Expr, page: str) -> Statement:
    if isinstance(tree, exp.Create):
        return Statement(_created(tree), "schema")
    if isinstance(tree, exp.Command | exp.Set | exp.Use):
        return Statement(tree.sql("tsql"), "set")
    tables = frozenset(t.name.casefold() for t in tree.find_all(exp.Table))
    catalogue = any(t.db.casefold() in _CATALOGUES for t in tree.find_all(exp.Table))
    parts = tree.selects if isinstance(tree, exp.Query) else []
    names, casts = tuple(map(_called, parts)), tuple(_cast(p, page) for p in parts)
    tree = tree.transform(_node)
    text = _sqlite(tree)
    if not isinstance(tree, exp.Query):
        return Statement(text, "change", tables=tables, catalogue=catalogue)
    blank = tree.transform(lambda n: exp.null() if isinstance(n, exp.Placeholder) else n)
    return Statement(text, "select", _sqlite(blank), names, casts, tables, catalogue)


def _node(node: exp.Expr) -> exp.Expr:
    """One node as SQLite has it."""
    if isinstance(node, exp.Table):
        if node.db.casefold() not in _CATALOGUES:
            node.set("db", None)
        node.set("catalog", None)
        node.set("hints", None)
        node.set("joins", node.args.get("joins"))
    elif isinstance(node, exp.Parameter):
        return _parameter(node)
    elif isinstance(node, exp.CurrentSchema):
        return exp.Anonymous(this="schema_name", expressions=[])
    elif isinstance(node, exp.Cast):
        return _cast_node(node)
    elif isinstance(node, exp.Collate):
        plain: exp.Expr = node.this.transform(_node)
        return plain
    elif isinstance(node, exp.Column) and node.args.get("db") is not None:
        node.set("db", None)
    return node


def _parameter(node: exp.Parameter) -> exp.Expr:
    if not isinstance(node.this, exp.Parameter):
        return exp.Placeholder(this=node.name)
    name = node.this.name.lower()  # @@version
    if name not in _VARIABLES:
        raise SqlError(137, f'Must declare the scalar variable "@@{name}".', 15)
    return exp.Anonymous(this=f"at_{name}", expressions=[])


def _cast_node(node: exp.Cast) -> exp.Expr:
    kind = node.to.sql("tsql").lower()
    inner = node.this.transform(_node)
    if "binary" in kind:
        return exp.Anonymous(this="page_bytes", expressions=[exp.cast(inner, "BLOB")])
    if "char" in kind or "text" in kind:
        return exp.cast(inner, "TEXT")
    if "date" in kind or "time" in kind:
        return exp.Anonymous(this="moment", expressions=[inner])
    node.set("this", inner)
    return node


def _called(part: exp.Expr) -> str | None:
    if part.is_star:
        return None
    return part.alias_or_name if isinstance(part, exp.Alias | exp.Column) else ""


def _cast(part: exp.Expr, page: str) -> Kind | None:
    inner = part.this if isinstance(part, exp.Alias) else part
    if isinstance(inner, exp.Count):
        return Kind("int")
    return declared(inner.to.sql("tsql"), page) if isinstance(inner, exp.Cast) else None


def _created(tree: exp.Create) -> str:
    """CREATE TABLE with the types as they were declared; a view with its select translated."""
    if tree.kind == "VIEW":
        name = tree.this.name
        return f'CREATE VIEW "{name}" AS {_sqlite(tree.expression.transform(_node))}'
    if tree.kind != "TABLE" or not isinstance(tree.this, exp.Schema):
        return _sqlite(tree.transform(_node))
    parts = [
        _column(one) if isinstance(one, exp.ColumnDef) else _sqlite(one)
        for one in tree.this.expressions
    ]
    return f'CREATE TABLE "{tree.this.this.name}" ({", ".join(parts)})'


def _column(column: exp.ColumnDef) -> str:
    kind = column.kind.sql("tsql") if column.kind else "TEXT"
    kind = kind.upper().replace("(MAX)", "(65535)")  # SQLite wants a number there
    said = [f'"{column.name}" {kind}']
    for one in column.constraints:
        if isinstance(one.kind, exp.NotNullColumnConstraint):
            said.append("NULL" if one.kind.args.get("allow_null") else "NOT NULL")
        elif isinstance(one.kind, exp.PrimaryKeyColumnConstraint):
            said.append("PRIMARY KEY")
        elif isinstance(one.kind, exp.DefaultColumnConstraint):
            said.append(f"DEFAULT {_sqlite(one.kind.this)}")
    if "CHAR" in kind:
        said.append("COLLATE NOCASE")
    return " ".join(said)
