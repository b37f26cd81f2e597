"""The whole contract, fuzzed as each role: no 5xx, no undocumented answer (S35)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.server.orders import write_orders
from tests.serving import ROLES, Serving, serving

pytestmark = [pytest.mark.deep, pytest.mark.timeout(900)]

# Signing out would end the fuzzing, and live events never end; both have tests of their own.
LEFT_OUT = {("DELETE", "/api/session"), ("GET", "/api/live")}
load_all_checks()
HELD: list[Any] = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)


@pytest.fixture(scope="module")
def ordered(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Serving, dict[str, httpx.Client]]]:
    with serving(tmp_path_factory.mktemp("home")) as found:
        write_orders(found.tenon, 5)
        # All at once: the fuzzing of the sign-in uses the minute's tries up.
        clients = {role: found.signed_in(role) for role in ROLES}
        yield found, clients | {"anonymous": found.client()}


@pytest.mark.parametrize("role", [*ROLES, "anonymous"])
def test_no_request_breaks_the_contract(
    ordered: tuple[Serving, dict[str, httpx.Client]], role: str
) -> None:
    served, clients = ordered
    client = clients[role]
    schema = schemathesis.openapi.from_dict(served.client().get("/api/openapi.json").json())
    headers = {"x-csrf-token": client.headers.get("x-csrf-token", "")}
    cookies = dict(client.cookies)
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        if (operation.method.upper(), operation.path) in LEFT_OUT:
            continue

        @settings(
            max_examples=25, deadline=None, derandomize=True, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
               | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))  # fmt: skip
        def fuzz(case: schemathesis.Case[Any]) -> None:
            case.call_and_validate(
                base_url=served.url, headers=headers, cookies=cookies, checks=HELD
            )

        fuzz()
        tried += 1
    assert tried >= 25
