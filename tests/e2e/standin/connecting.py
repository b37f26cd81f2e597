"""Connecting, browsing and mapping a source at the stand-in: the shapes of the connect routes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Body

from tenon.server import connect_models as c
from tenon.server import disclosure_models as d
from tenon.server.shapes import Text
from tests.e2e.standin.data import NOW
from tests.e2e.standin.rules import STATE, Refused, need

routes = APIRouter()


def _text(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _words(zh: str, en: str) -> Text:
    return Text(zh=zh, en=en)


def _setting(name: str, zh: str, en: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    said: dict[str, Any] = {"required": False, "default": None, "choices": [], "help": None}
    said |= {"advanced": False, "when": None}
    return {"name": name, "label": _text(zh, en), "type": kind, **said, **more}


_SERVER = {"dialect": ["mysql", "mssql", "postgresql", "oracle"]}
_DIALECTS = [
    {"value": v, "label": _text(v, v)} for v in ("mysql", "mssql", "postgresql", "sqlite", "oracle")
]
KINDS = [
    {
        "kind": "sql",
        "label": _text("数据库", "Database"),
        "note": _text("只读取，不写入。", "It is read, never written."),
        "settings": [
            _setting("dialect", "种类", "Kind", "choice", choices=_DIALECTS, default="mysql"),
            _setting("host", "主机", "Host", required=True, when=_SERVER),
            _setting("port", "端口", "Port", "integer", when=_SERVER, help=_text(
                "空着用这种数据库的默认端口", "Empty: the usual port")),
            _setting("database", "数据库", "Database", required=True, when=_SERVER),
            _setting("file", "文件", "File", required=True, when={"dialect": ["sqlite"]}),
            _setting("user", "用户名", "User", when=_SERVER),
            _setting("password", "密码", "Password", "secret", when=_SERVER),
            _setting("encoding", "文字编码", "Encoding", advanced=True),
        ],
    },
    {
        "kind": "http",
        "label": _text("网页接口", "Web API"),
        "note": _text("填根地址；只发 GET 请求。", "The base address; only GET is sent."),
        "settings": [
            _setting("url", "地址", "Address", required=True),
            _setting("token", "令牌", "Token", "secret"),
        ],
    },
]  # fmt: skip


@routes.get("/api/connectors")
def connectors() -> list[c.ConnectorKind]:
    """The kinds of connection."""
    need("sources.manage")
    return [c.ConnectorKind.model_validate(one) for one in KINDS]


def _step(step: str, ok: bool | None, zh: str, en: str, detail: str | None = None) -> Any:
    said = {"step": step, "ok": ok, "message": _text(zh, en), "detail": detail}
    return said | {"milliseconds": 12}


@routes.post("/api/connections/try")
def try_connection(body: c.ConnectionTry) -> c.TryAnswer:
    """Test a connection that is being described; the password `wrong` is refused."""
    need("sources.manage")
    steps = [
        _step("address", True, "10.0.0.8:3306", "10.0.0.8:3306"),
        _step("network", True, "服务器有应答", "The server answers"),
    ]
    if body.settings.get("password") == "wrong":
        steps.append(_step(
            "login", False,
            "数据库拒绝了用户“tenon”。请核对用户名和密码，或请供应商确认它允许从这台机器登录。",
            "The database refused the user “tenon”. Check name and password, or ask the supplier "
            "whether it may sign in from this machine.",
            "(1045, \"Access denied for user 'tenon'@'10.0.0.20' (using password: YES)\")",
        ))  # fmt: skip
    else:
        steps.append(_step("login", True, "以只读方式登录", "Signed in, read-only"))
        steps.append(_step("tables", True, "看得到 21 张表", "21 tables can be seen"))
    return c.TryAnswer.model_validate({"steps": steps})


@routes.post("/api/sources", status_code=201)
def add(label: dict[str, str] = Body(embed=True)) -> Any:
    """Connect a source: at the stand-in it is always the WMS."""
    need("sources.manage")
    STATE["added"] = label
    return {"code": "wms", "label": label}


@routes.get("/api/sources/{code}/connection")
def connection(code: str) -> c.ConnectionSettings:
    """The connection of a source."""
    need("sources.manage")
    settings = {"dialect": "mysql", "host": "10.0.0.8", "database": "wms", "user": "tenon"}
    return c.ConnectionSettings(
        source=code, connector="sql", package="own", ours=True,
        settings={**settings, "port": 3306, "password": {"set": True}},
    )  # fmt: skip


@routes.put("/api/sources/{code}/connection")
def save_connection(code: str, body: c.ConnectionChange) -> c.ConnectionSettings:
    """Change it."""
    return connection(code)


@routes.delete("/api/sources/{code}")
def remove(code: str, really: bool = False) -> c.SourceRemoved:
    """Remove a source; the stand-in's has rows."""
    need("sources.manage")
    if not really:
        raise Refused(
            409, "source_has_rows", "从它已经读进 31,204 行；移除后这些记录保留，但不再更新。",
            "31,204 rows came through it; they stay, and are no longer updated.",
        )  # fmt: skip
    return c.SourceRemoved(code=code, syncs=[], records=31204, back=_words("", ""))


def _column(name: str, kind: str = "varchar(60)", comment: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "nullable": True, "comment": comment}


ITEM_COLUMNS = [
    _column("item_code", comment="物料编码"), _column("item_name", comment="物料名称"),
    _column("spec", comment="规格型号"), _column("unit"), _column("item_type", "varchar(8)"),
    _column("erp_code", comment="财务代码"), _column("update_time", "datetime"),
]  # fmt: skip


def _tables() -> list[dict[str, Any]]:
    item = _text("物料", "Item")
    why = _text(
        "表名含 item；6 列中有 5 列对得上", "The name has “item”; 5 of 6 columns correspond"
    )
    first: list[dict[str, Any]] = [
        {"name": "wm_item", "label": _text("物料档案", "Items"), "columns": ITEM_COLUMNS,
         "key": ["item_code"], "rows": 412, "sync": None,
         "offer": {"entity": "item", "label": item, "why": why, "score": 0.91}},
        {"name": "wm_move", "label": None, "columns": ITEM_COLUMNS[:4], "key": ["move_no"],
         "rows": 31204, "sync": "wms_issue", "offer": None},
        {"name": "wm_balance", "label": _text("库存", "Stock"), "columns": ITEM_COLUMNS[:3],
         "key": ["item_code", "lot_no"], "rows": 980, "sync": None,
         "offer": {"entity": "stock_balance", "label": _text("库存余额", "Stock balance"),
                   "why": _text("表名含 balance", "The name has “balance”"), "score": 0.8}},
    ]  # fmt: skip
    rest: list[dict[str, Any]] = [
        {"name": f"sys_log_{n:02d}", "label": None, "columns": ITEM_COLUMNS[:2], "key": [],
         "rows": None, "sync": None, "offer": None}
        for n in range(18)
    ]  # fmt: skip
    return first + rest


@routes.get("/api/sources/{code}/tables")
def tables(code: str, q: str = "", page: int = 1) -> c.TableList:
    """What a source holds."""
    need("sources.read")
    if code == "kis" and not q:
        raise Refused(503, "source_unreachable", "连接不上金蝶。", "Kingdee cannot be reached.")
    found = [t for t in _tables() if q.lower() in t["name"] or q in str(t["label"])]
    ledger = None
    if code == "kis":
        ledger = {
            "code": "kis", "label": _text("这是金蝶 KIS 账套", "This is a Kingdee KIS ledger"),
            "note": _text("按金蝶的表结构给出建议；榫永远不写账套。",
                          "Suggestions follow Kingdee's tables; Tenon never writes a ledger."),
        }  # fmt: skip
    shown = {"tables": found[(page - 1) * 50 : page * 50], "total": len(found), "ledger": ledger}
    return c.TableList.model_validate(shown | {"page": page, "page_size": 50})


@routes.get("/api/sources/{code}/tables/{name:path}/rows")
def rows(code: str, name: str) -> c.TableRows:
    """Some rows of a table."""
    need("source_rows.read")
    row: list[str | None] = ["W-RAW-00912", "冷轧板 SPCC 1.2×1250×2500", None, "kg"]
    return c.TableRows(columns=["item_code", "item_name", "spec", "unit"], rows=[row] * 8)


def _field(code: str, zh: str, en: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    said = {"required": False, "choices": [], "target": None}
    return {"code": code, "label": _text(zh, en), "type": kind, **said, **more}


TARGETS: list[dict[str, Any]] = [
    {"entity": "item", "label": _text("物料", "Item"), "master": True, "key": ["code"],
     "keys": [{"code": "drawing_no", "label": _text("图号", "Drawing no.")},
              {"code": "finance_no", "label": _text("财务物料代码", "Finance item number")}],
     "fields": [
         _field("code", "物料编码", "Item code", required=True),
         _field("name", "名称", "Name", required=True),
         _field("drawing_no", "图号", "Drawing no."),
         _field("spec", "规格", "Specification"),
         _field("unit", "单位", "Unit"),
         _field("standard", "标准件", "Standard item", "boolean")]},
    {"entity": "stock_balance", "label": _text("库存余额", "Stock balance"),
     "master": False, "key": [],
     "keys": [],
     "fields": [
         _field("item", "物料", "Item", "ref", required=True, target="item"),
         _field("qty", "数量", "Quantity", "decimal", required=True)]},
]  # fmt: skip


@routes.get("/api/targets")
def targets() -> list[c.Target]:
    """What can be filled."""
    need("sources.read")
    return [c.Target.model_validate(one) for one in TARGETS]


def _draft(code: str, table: str, target: str) -> dict[str, Any]:
    if target == "stock_balance":
        fields: dict[str, Any] = {"item": {"from": "item_code", "master": "item"}}
    else:
        fields = {
            "code": {"from": "item_code", "clean": "code"}, "name": {"from": "item_name"},
            "spec": {"from": "spec"}, "unit": {"from": "unit"},
            "standard": {"from": "item_type", "choices": {"RAW": True, "FG": False}},
        }  # fmt: skip
    draft: dict[str, Any] = {
        "code": "", "label": _text(table, table), "source": code, "target": target, "order": 15,
        "stream": {"name": table, "table": table, "key": ["item_code"],
                   "cursor": {"column": "update_time"}},
        "fields": fields,
    }  # fmt: skip
    if target == "item":
        draft["identity"] = {
            "code": "item_code", "name": "item_name", "founds": True,
            "keys": {"finance_no": "erp_code"},
        }  # fmt: skip
    return draft


@routes.post("/api/sources/{code}/suggest")
def suggest(code: str, body: c.SuggestAsk) -> c.Suggestion:
    """A mapping to begin with."""
    need("sources.manage")
    target = body.target or ("stock_balance" if body.table == "wm_balance" else "item")
    draft = _draft(code, body.table, target)
    why = {
        "code": _text("列名 item_code 与“物料编码”同义", "item_code means the same"),
        "item": _text("列名 item_code 与“物料编码”同义", "item_code means the same"),
        "name": _text("列的说明是“物料名称”", "Its comment says “item name”"),
        "spec": _text("列名相同", "The same name"), "unit": _text("列名相同", "The same name"),
        "standard": _text("只有 RAW、FG 两个值", "It has the values RAW and FG only"),
    }  # fmt: skip
    sure = {"code": 0.97, "item": 0.97, "name": 0.95, "spec": 0.9, "unit": 0.99, "standard": 0.55}
    found = {
        "draft": draft, "why": why, "sure": sure, "missing": [],
        "others": [{"target": "item", "label": _text("物料", "Item"), "score": 0.91},
                   {"target": "stock_balance", "label": _text("库存余额", "Stock balance"),
                    "score": 0.34}],
    }  # fmt: skip
    return c.Suggestion.model_validate(found)


@routes.post("/api/sources/{code}/preview")
def preview(code: str, body: c.PreviewAsk) -> c.PreviewAnswer:
    """What would become of real rows; each third has a code that is too long to be one."""
    need("source_rows.read")
    found = [_row(dict(body.draft), n) for n in range(20)]
    bad = sum(1 for row in found if row["problem"])
    reason = _text("文字过长：46 个字符，最多 40 个", "Too long: 46 characters, 40 at most")
    answer = {
        "rows": found, "read": 20, "good": 20 - bad, "set_aside": bad, "problems": [],
        "reasons": [{"code": "too_long", "reason": reason, "count": bad}],
    }  # fmt: skip
    return c.PreviewAnswer.model_validate(answer)


def _row(draft: dict[str, Any], n: int) -> dict[str, Any]:
    source = {
        "item_code": f"W-RAW-{n:05d}", "item_name": "冷轧板 SPCC 1.2×1250×2500 ",
        "spec": "1.2×1250", "unit": "kg", "item_type": "RAW", "erp_code": f"01.{n:04d}",
        "update_time": "2025-11-22 14:41:07",
    }  # fmt: skip
    target = next(t for t in TARGETS if t["entity"] == draft["target"])
    result = []
    for field in target["fields"]:
        rule = draft["fields"].get(field["code"])
        if rule is None:
            continue
        value: Any = rule.get("const")
        if rule.get("from"):
            columns = rule["from"] if isinstance(rule["from"], list) else [rule["from"]]
            value = "|".join(source.get(c) or "" for c in columns).strip()
            value = rule.get("choices", {}).get(value, value)
        shown = _text("是", "Yes") if value is True else None
        value = None if value is None else str(value)
        result.append(
            {"field": field["code"], "label": field["label"], "value": value, "shown": shown}
        )
    problem = None
    if n % 7 == 3:
        problem = _text("规格过长：46 个字符，最多 40 个", "Too long: 46 characters, 40 at most")
    waits = _text("物料 W-RAW-00012 还没有", "Item W-RAW-00012 is not there") if n == 5 else None
    return {
        "key": source["item_code"], "source": list(source.items()), "result": result,
        "problem": problem, "waits": waits, "outcome": None,
    }  # fmt: skip


@routes.post("/api/syncs", status_code=201)
def add_sync(body: c.NewSync) -> c.SyncPage:
    """Publish a mapping."""
    need("sources.manage")
    return _published("wms_moves", dict(body.draft))


def _published(code: str, draft: dict[str, Any], package: str = "own") -> c.SyncPage:
    return c.SyncPage(
        code=code, draft=draft | {"code": code}, package=package, ours=package == "own",
        changed_at=NOW, version=1, changed_by="admin",
    )  # fmt: skip


@routes.get("/api/syncs/{code}")
def sync(code: str) -> c.SyncPage:
    """A published mapping; those of the CRM are a package's."""
    need("sources.read")
    draft = _draft("wms", "wm_item", "item")
    return _published(code, draft, "factory" if code.startswith("crm") else "own")


@routes.put("/api/syncs/{code}")
def save_sync(code: str, body: c.SyncChange) -> c.SyncPage:
    """Change it."""
    need("sources.manage")
    return _published(code, dict(body.draft))


@routes.get("/api/sources/{code}/access")
def access(code: str) -> d.SourceAccess:
    """What is read, to be printed."""
    need("sources.read")
    statement = (
        "SELECT item_code, item_name, spec, unit, update_time\nFROM wm_item\n"
        "WHERE update_time >= :since\nORDER BY update_time, item_code\nLIMIT 5000"
    )
    shown = {
        "address": "10.0.0.8:3306/wms", "login": "tenon", "ledger": code == "kis",
        "writes": [{"table": "pro_workorder", "actions": ["insert"]}] if code == "mes" else [],
        "tables": [
            {"sync": f"wms_{n}", "label": _text("物料", "Items"), "table": "wm_item",
             "statement": None if n == 3 else statement, "rows": 412,
             "problem": None if n < 3 else _text("来源没有应答", "The source does not answer"),
             "every_seconds": 60 if n else None,
             "read": 3, "seconds": 0.04, "last_at": NOW.isoformat() if n < 3 else None}
            for n in range(4)
        ],
    }  # fmt: skip
    return d.SourceAccess.model_validate(shown)
