"""Where is my order: the search box, the list and the order page."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from tenon.factory import lookup, materials
from tenon.factory.orders import OrderFilter
from tenon.server.guard import Caller, requires, router
from tenon.server.models import IssuedList, OrderList, OrderPage, SearchAnswer, StageCode
from tenon.server.paging import Page, PageSize

routes = router("orders")

Reader = Annotated[Caller, requires("orders.read")]


@routes.get("/orders/search")
def search(caller: Reader, q: Annotated[str, Query(max_length=200)] = "") -> SearchAnswer:
    """Find order lines by order, work order, customer, customer's PO or item."""
    return SearchAnswer.model_validate(lookup.search(caller.tenon, caller.actor, q))


class OrderQuery(BaseModel):
    """What the order list may be narrowed by; unknown filters are refused, not ignored."""

    model_config = ConfigDict(extra="forbid")

    stage: StageCode | None = None
    op: str | None = Field(default=None, max_length=100)
    late: bool | None = None
    confirmed: bool | None = None
    customer: str | None = Field(default=None, max_length=100)
    state: Literal["open", "all"] = "open"
    page: Page = 1
    page_size: PageSize = 50


@routes.get("/orders")
def list_orders(caller: Reader, query: Annotated[OrderQuery, Query()]) -> OrderList:
    """List order lines: the open ones, or all."""
    wanted = OrderFilter(**query.model_dump(exclude={"page", "page_size"}))
    found = lookup.list_orders(
        caller.tenon, caller.actor, wanted, page=query.page, page_size=query.page_size
    )
    return OrderList.model_validate(found)


@routes.get("/orders/by-number/{order_no}")
def by_number(caller: Reader, order_no: str) -> OrderPage:
    """Show the first line of an order."""
    return OrderPage.model_validate(lookup.by_number(caller.tenon, caller.actor, order_no))


@routes.get("/orders/{line_id}")
def order_page(caller: Reader, line_id: UUID) -> OrderPage:
    """Show everything about one order line."""
    return OrderPage.model_validate(lookup.order_page(caller.tenon, caller.actor, str(line_id)))


@routes.get("/work-orders/materials")
def issued_materials(caller: Reader, page: Page = 1, page_size: PageSize = 200) -> IssuedList:
    """List net quantities issued, by work order, item and unit."""
    found = materials.issued(caller.tenon, caller.actor, page=page, page_size=page_size)
    return IssuedList.model_validate(found)
