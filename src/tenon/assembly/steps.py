"""Every step there is, registered by being imported; flows are checked against them."""

from __future__ import annotations

from collections.abc import Iterable

import tenon.automate.steps.condition
import tenon.automate.steps.create
import tenon.automate.steps.notify
import tenon.automate.steps.update
import tenon.automate.steps.wait
import tenon.automate.steps.write_back
import tenon.factory.steps.apply_order_change
import tenon.factory.steps.number_order_change
import tenon.factory.steps.plan_work_orders
import tenon.factory.steps.released_work_order
import tenon.factory.steps.supersede_engineering  # noqa: F401
from tenon.automate import interpreter
from tenon.define.models import Definition, Flow


def check(definitions: Iterable[Definition]) -> None:
    """Refuse flows that name steps, settings or places that are not there."""
    for definition in definitions:
        if isinstance(definition, Flow):
            interpreter.check(definition)
