"""The OpenAPI document: it is up to date, complete, and bounds everything that a caller sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from brightrun.http.problems import STATUS
from infra.routes import ROUTES
from local import openapi
from tests.handlers.gateway import HANDLERS

Schema = dict[str, Any]

DOCUMENT: Schema = json.loads(openapi.DOCUMENT.read_text())
OPERATIONS = {f"{method.upper()} {path}": one for path, method, one in openapi.operations(DOCUMENT)}
EVERY_OPERATION = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))


def normalised(route: str) -> str:
    """A route with every parameter called id, as API Gateway has it."""
    return re.sub(r"\{\w+\}|<\w+>", "{id}", route)


def resolved(node: Schema) -> Schema:
    while "$ref" in node:
        name = node["$ref"].removeprefix("#/components/").split("/")
        node = DOCUMENT["components"][name[0]][name[1]]
    return node


def test_the_committed_document_is_what_the_handlers_say() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(), "run `make openapi`"


def test_it_has_exactly_the_routes_of_api_gateway() -> None:
    assert sorted(map(normalised, OPERATIONS)) == sorted(chain.from_iterable(ROUTES.values()))


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_answers_exactly_the_routes_that_it_is_sent(name: str) -> None:
    api = HANDLERS[name].api
    routes = [f"{one.method} {one.path}" for one in api._static_routes + api._dynamic_routes]
    assert sorted(map(normalised, routes)) == sorted(ROUTES[name])


def test_operations_can_be_told_apart() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids) == sum(map(len, ROUTES.values()))


@EVERY_OPERATION
def test_an_operation_says_what_it_does_and_where_it_belongs(operation: Schema) -> None:
    assert re.fullmatch(r"[A-Z].*\.", operation["summary"])
    (tag,) = operation["tags"]
    assert tag in {one["name"] for one in DOCUMENT["tags"]}


def test_every_operation_needs_a_token() -> None:
    assert DOCUMENT["security"] == [{"CognitoToken": []}]
    assert not [one for one in OPERATIONS.values() if "security" in one]
    scheme = DOCUMENT["components"]["securitySchemes"]["CognitoToken"]
    assert scheme == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


@EVERY_OPERATION
def test_errors_are_problems_except_the_gateways_own(operation: Schema) -> None:
    errors = {code: one for code, one in operation["responses"].items() if code >= "400"}
    assert {"401", "403", "429", "500", "503"} <= errors.keys()
    for code, answer in errors.items():
        (media_type,) = resolved(answer)["content"]
        own = int(code) in openapi.GATEWAY_ANSWERS
        assert media_type == ("application/json" if own else "application/problem+json")


def test_every_status_that_an_error_can_have_is_documented() -> None:
    assert {status.value for status in STATUS.values()} <= openapi.PROBLEMS.keys()


COUNTERS = re.compile(
    "completed|successful|failed|skipped|cancelled|processing|queued|requeued|total|done|updated"
    "|deleted|unchanged|not_found|conflict|(total|completed|successful|failed|cancelled)Items"
)
"""Names of counters of which a program adds some up, and has to know which include others."""


def counters() -> Iterator[tuple[str, Schema]]:
    """Every counter of a list or of the outcomes of a job, with its schema's name."""
    for schema, one in DOCUMENT["components"]["schemas"].items():
        fields = one.get("properties", {})
        is_list = any(field.get("type") == "array" for field in fields.values())
        for name, field in fields.items():
            is_counter = field.get("type") == "integer"
            if is_counter and (COUNTERS.fullmatch(name) or (name == "count" and is_list)):
                yield f"{schema}.{name}", field


def test_counters_say_what_they_count() -> None:
    told = dict(counters())
    # The preview of a batch says it of all its fields together.
    unclear = {name for name, one in told.items() if "description" not in one}
    assert unclear == {"BatchPreviewResponse.totalItems"}


@pytest.mark.parametrize("name", ["JobSummary.completedItems", "Progress.completed"])
def test_completed_items_are_said_to_include_failed_ones(name: str) -> None:
    assert "succeeded or failed" in dict(counters())[name]["description"]


def request_schemas(operation: Schema) -> Iterator[tuple[str, Schema]]:
    """Every schema of what a caller sends, with the way to it."""
    starts = [(one["name"], one["schema"]) for one in operation.get("parameters", [])]
    body = operation.get("requestBody", {"content": {}})["content"]
    starts += [("body", one["schema"]) for one in body.values()]
    for where, schema in starts:
        yield from nodes(where, schema)


def nodes(where: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    schema = resolved(schema)
    yield where, schema
    for name, inner in schema.get("properties", {}).items():
        yield from nodes(f"{where}.{name}", inner)
    for branch in schema.get("anyOf", []) + schema.get("oneOf", []):
        if "required" not in branch or "type" in branch:  # not a rule about which are given
            yield from nodes(where, branch)
    if "items" in schema:
        yield from nodes(f"{where}[]", schema["items"])


BOUNDS: dict[str, set[str]] = {
    "string": {"maxLength"},
    "array": {"maxItems"},
    "integer": {"minimum", "maximum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
    "null": set(),
}


def is_bounded(schema: Schema) -> bool:
    """Whether a value has an end; the branches of a choice are looked at one by one."""
    if schema.keys() & {"enum", "const", "anyOf", "oneOf"} or schema.get("format") == "uuid":
        return True
    kind = schema.get("type")
    if kind == "object":
        # A file of another system's shape cannot be closed; its names are counted instead.
        return schema.get("additionalProperties") is False or "maxProperties" in schema
    return kind in BOUNDS and BOUNDS[kind] <= schema.keys()


@EVERY_OPERATION
def test_nothing_that_a_caller_sends_is_without_bounds(operation: Schema) -> None:
    loose = [where for where, schema in request_schemas(operation) if not is_bounded(schema)]
    assert not loose


@EVERY_OPERATION
def test_ids_in_a_path_have_a_pattern(operation: Schema) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            assert parameter["schema"]["pattern"].startswith("^")
            assert parameter["schema"]["pattern"].endswith("$")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string", "pattern": "^a*$"},
        {"type": "array", "items": {"type": "boolean"}},
        {"type": "integer", "minimum": 1},
        {"type": "object", "properties": {}},
    ],
)
def test_the_walk_finds_what_has_no_bounds(schema: Schema) -> None:
    body = {"content": {"application/json": {"schema": {"anyOf": [schema, {"type": "null"}]}}}}
    found = request_schemas({"requestBody": body})
    assert [where for where, one in found if not is_bounded(one)] == ["body"]
