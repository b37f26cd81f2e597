"""Suggestions from names alone, for schemas that no word of the list was written for."""

from __future__ import annotations

import pytest

from tenon.assembly.packages import built_in
from tenon.connect.browse import Sample
from tenon.connect.contract import Column, Found
from tenon.connect.naming import code_of
from tenon.connect.suggest import offers
from tenon.connect.suggest.columns import facts_of
from tenon.connect.suggest.lexicon import Named, meanings, phrases
from tenon.connect.suggest.matching import Column as Matched
from tenon.connect.suggest.matching import Matcher, translate
from tenon.define.catalogue import Catalogue

CATALOGUE = Catalogue(1, built_in()[1])


def table(name: str, *columns: str, comment: str | None = None) -> Found:
    """A table of text columns; `name:comment` gives a column a comment."""
    made = [one.partition(":") for one in columns]
    return Found(name, tuple(Column(n, "VARCHAR(40)", True, c or None) for n, _, c in made),
                 comment=comment)  # fmt: skip


def fields(found: Found, entity: str) -> dict[str, str]:
    columns = [Matched(f, Named(f.name, f.comment, frozenset(meanings(entity))))
               for f in facts_of(found, Sample((), []))]  # fmt: skip
    picks = Matcher(CATALOGUE, columns, None).fields(CATALOGUE.entity(entity))
    return {field: pick.columns[0] for field, pick in picks.items()}


@pytest.mark.parametrize(
    ("found", "entity", "expected"),
    [
        (
            table("KHDA", "KHBM", "KHMC", "KHJC", "SH:税号", "BZ:备注", comment="客户档案"),
            "customer", {"code": "KHBM", "name": "KHMC", "tax_id": "SH"},
        ),
        (
            table("客户", "客户编码", "客户名称", "简称", "纳税人识别号", "所在地区"), "customer",
            {"code": "客户编码", "name": "客户名称", "short_name": "简称", "tax_id": "纳税人识别号",
             "region": "所在地区"},
        ),
        (
            table("Customer", "cCusCode", "cCusName", "cCusAbbName", "cMemo"), "customer",
            {"code": "cCusCode", "name": "cCusName"},
        ),
        (
            table("tbl_cust", "cust_no", "cust_nm", "vat_no"), "customer",
            {"code": "cust_no", "name": "cust_nm", "tax_id": "vat_no"},
        ),
        (
            table("wuliao", "wuliaobianma", "mingcheng:名称", "guige:规格型号", "danwei:计量单位"),
            "item", {"name": "mingcheng", "spec": "guige", "unit": "danwei"},
        ),
        (
            table("base_material", "materialCode", "materialName", "specification", "uom"), "item",
            {"code": "materialCode", "name": "materialName", "spec": "specification",
             "unit": "uom"},
        ),
    ],
)  # fmt: skip
def test_tables_of_other_programs_are_understood(
    found: Found, entity: str, expected: dict[str, str]
) -> None:
    offered = offers(CATALOGUE, [found])
    assert offered[found.name].entity == entity
    chosen = fields(found, entity)
    assert {code: chosen.get(code) for code in expected} == expected


@pytest.mark.parametrize(
    "found",
    [
        table("sys_log", "id", "level", "message"),
        table("POOrder", "FInterID", "FBillNo", "FDate", "FSupplyID"),
        table("x1", "a", "b", "c"),
    ],
    ids=lambda found: found.name,
)
def test_what_is_not_understood_is_not_offered(found: Found) -> None:
    assert offers(CATALOGUE, [found]) == {}


def test_the_name_of_another_thing_is_not_taken_for_ours() -> None:
    chosen = fields(table("crm_customer", "code", "vendor_name", "product_name"), "customer")
    assert chosen == {"code": "code"}


def test_a_reason_names_the_column_and_what_it_was_taken_for() -> None:
    found = table("t_cust", "KHMC")
    columns = [Matched(f, Named(f.name)) for f in facts_of(found, Sample((), []))]
    pick = Matcher(CATALOGUE, columns, None).fields(CATALOGUE.entity("customer"))["name"]
    assert "KHMC" in pick.why.zh
    assert "客户名称" in pick.why.zh
    assert pick.score < 0.9  # initials may be anything


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FModifyTime", ("update", "time")), ("workordercode", ("workorder", "code")),
        ("cust_no", ("customer", "code")), ("dCreateDate", ("create", "time")),
        ("wm_item", ("stock", "item")), ("requested_date", ("request", "time")),
    ],
)  # fmt: skip
def test_names_have_meanings(name: str, expected: tuple[str, ...]) -> None:
    assert meanings(name) == expected


def test_values_are_translated_by_what_they_mean_and_no_further() -> None:
    entity = CATALOGUE.entity("work_order")
    found, left = translate(entity, entity.by_code["status"], ["PREPARE", "完工", "X9"])
    assert found == {"PREPARE": "planned", "完工": "finished"}
    assert left == ("X9",)


def test_comments_count_when_names_say_nothing() -> None:
    like = Named("f_001", "客户名称（全称）").like(phrases(["客户名称"], []))
    assert like.score > 0.9
    assert like.how == "comment"


@pytest.mark.parametrize(
    ("label", "expected"),
    [("金蝶账套", "jin_die_zhang_tao"), ("老的仓库管理系统", "ldckglxt"), ("MES 2", "mes_2"),
     ("1号", "source"), ("…", "source")],
)  # fmt: skip
def test_codes_are_made_of_names(label: str, expected: str) -> None:
    assert code_of(label, "source") == expected
