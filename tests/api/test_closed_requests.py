"""No request may set what the server alone decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.api.test_openapi_document import DOCUMENT, OPERATIONS, nodes, normalised, resolved
from tests.handlers.gateway import Api

NEVER_SHOWN = ["owner_id", "ownerId", "userId", "created_by", "sub", "success", "__proto__"]


def taken_by(operation: dict[str, Any]) -> set[str]:
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    return set(resolved(body)["properties"])


def shown_by(operation: dict[str, Any]) -> Iterator[str]:
    for code, answer in operation["responses"].items():
        if code < "300":
            for _, schema in nodes("", answer["content"]["application/json"]["schema"]):
                yield from schema.get("properties", {})


BODIES = {route: one for route, one in OPERATIONS.items() if "requestBody" in one}


@pytest.mark.parametrize("route", BODIES)
def test_a_field_of_the_answer_that_is_none_of_the_request_is_refused_by_name(
    api: Api, route: str, record_property: Callable[[str, object], None]
) -> None:
    operation = BODIES[route]
    foreign = sorted({*shown_by(operation), *NEVER_SHOWN} - taken_by(operation))
    refused = api(normalised(route).replace("{id}", "any"), dict.fromkeys(foreign, 1))
    assert refused.status == 400
    assert set(foreign) <= refused.fields
    record_property("samples", len(foreign))


def test_every_body_is_tried() -> None:
    assert len(BODIES) == sum(
        method in {"post", "put", "patch"} and "requestBody" in operation
        for methods in DOCUMENT["paths"].values()
        for method, operation in methods.items()
    )
    assert len(BODIES) >= 15
