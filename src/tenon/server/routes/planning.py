"""Planning: routings for work orders that await engineering, decisions on customers' changes."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from tenon.factory import changes, engineering, taking
from tenon.server.guard import Caller, requires, router
from tenon.server.paging import Page, PageSize
from tenon.server.planning_models import (
    ChangeDecision,
    EngineeringList,
    OrderChangeList,
    OrderChangeRow,
    RoutingChoice,
    RoutingTaken,
)

routes = router("planning")

Reader = Annotated[Caller, requires("orders.read")]
Planner = Annotated[Caller, requires("orders.manage")]


@routes.get("/engineering")
def list_engineering(caller: Planner, page: Page = 1, page_size: PageSize = 20) -> EngineeringList:
    """List the work orders that wait for a routing, with the nearest ones."""
    found = engineering.engineering(caller.tenon, caller.actor, page=page, page_size=page_size)
    return EngineeringList.model_validate(found)


@routes.post("/work-orders/{work_order_id}/routing")
def take_routing(caller: Planner, work_order_id: UUID, body: RoutingChoice) -> RoutingTaken:
    """Take a routing: the operations are frozen and the work order is released."""
    choice = taking.Choice(str(body.item_id), body.version, body.work_order_version)
    found = taking.take_routing(caller.tenon, caller.actor, str(work_order_id), choice)
    return RoutingTaken.model_validate(found)


@routes.get("/order-changes")
def list_order_changes(
    caller: Reader,
    decision: Literal["pending", "accepted", "rejected", "none"] | None = None,
    page: Page = 1,
    page_size: PageSize = 50,
) -> OrderChangeList:
    """List customers' changes, newest first."""
    found = changes.order_changes(
        caller.tenon, caller.actor, decision=decision, page=page, page_size=page_size
    )
    return OrderChangeList.model_validate(found)


@routes.post("/order-changes/{change_id}/decision")
def decide_order_change(caller: Planner, change_id: UUID, body: ChangeDecision) -> OrderChangeRow:
    """Accept or reject a change."""
    found = changes.decide(
        caller.tenon, caller.actor, str(change_id), accept=body.accept, note=body.note
    )
    return OrderChangeRow.model_validate(found)
