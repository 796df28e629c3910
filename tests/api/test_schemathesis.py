"""Schemathesis against the handlers: what the document promises holds for whatever is sent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import CheckContext, CheckFunction
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from tests.api.requests_that_succeed import REQUESTS
from tests.api.test_openapi_document import DOCUMENT, OPERATIONS, normalised
from tests.api.wsgi import Application
from tests.aws import empty_tables
from tests.builders import OWNER
from tests.effort import effort
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, StartedRuns

pytestmark = pytest.mark.usefixtures("validations", "trainings", "builds")

TOKEN = "the-owners-token"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def schema_of(paths: dict[str, Any]) -> Any:
    loaded = schemathesis.openapi.from_dict({**DOCUMENT, "paths": paths})
    loaded.app = Application({TOKEN: OWNER})
    return loaded


schema = schema_of(DOCUMENT["paths"])


def is_positive(case: Case[Any]) -> bool:
    """Whether the case was made to fit the schema."""
    return case.meta is not None and case.meta.generation.mode.is_positive


def request_is_understood(_: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """What fits the schema is never called malformed, field by field.

    Stands in for `positive_data_acceptance`: a schema cannot say how fields depend on each other,
    nor what the records allow that a request names.
    """
    if not is_positive(case) or response.status_code != 400:
        return None
    problem = response.json()
    malformed = problem["code"] == "invalid_request"
    if malformed and {fault["field"] for fault in problem["details"]} != {"body"}:
        raise RejectedPositiveData(
            operation=case.operation.label,
            message=problem["error"],
            status_code=400,
            allowed_statuses=[],
        )
    return None


def misfit_is_refused(context: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """What does not fit the schema is refused; names that a query may have beside it are ignored.

    Stands in for `negative_data_rejection`, which takes some of the latter for the former.
    """
    known = {one.name for one in case.operation.iter_parameters()}
    if case.query and case.query.keys() - known:
        return None
    return negative_data_rejection(context, response, case)


OURS: list[CheckFunction] = [request_is_understood, misfit_is_refused]
# A method that a path does not have is turned away by API Gateway, with its own 404.
EXCLUDED = [positive_data_acceptance, negative_data_rejection, unsupported_method]


sent: Counter[str] = Counter()
"""How many requests of a test were held against the document."""


@pytest.fixture(autouse=True)
def samples(record_property: Callable[[str, object], None]) -> Iterator[None]:
    sent.clear()
    yield
    record_property("samples", sent.total())


def validate(case: Case[Any], response: Any) -> None:
    sent[case.operation.label] += 1
    case.validate_response(
        response,
        headers=HEADERS,
        additional_checks=OURS,
        excluded_checks=EXCLUDED,
    )


@pytest.fixture(params=OPERATIONS)
def one_operation(request: pytest.FixtureRequest) -> Any:
    """The document with one operation.

    A fixture makes the requests of an operation in its own test; `schema.parametrize` makes those
    of all operations, while every process collects, and gives all tests the same name, of which
    xdist runs one.
    """
    request.node._nodeid = request.node.nodeid  # noqa: SLF001 - Schemathesis 4.32 asks pytest 9.2 for it
    method, _, path = request.param.partition(" ")
    return schema_of({path: {method.lower(): OPERATIONS[request.param]}})


@pytest.mark.slow
@settings(max_examples=effort(15, 200), deadline=None, suppress_health_check=list(HealthCheck))
@schemathesis.pytest.from_fixture("one_operation").parametrize()
def test_an_operation_keeps_its_promises_whatever_is_sent(
    case: Case[Any], api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    known = REQUESTS[normalised(case.operation.label)].known
    # Half of the ids that could be are, so that more than the 404s is tried.
    if known and is_positive(case) and len(str(case.path_parameters)) % 2:
        case.path_parameters = dict.fromkeys(case.path_parameters, known(seeds, api))
    validate(case, case.call(headers=HEADERS))


@pytest.mark.slow
def test_operations_keep_their_promises_one_after_the_other(api: Api, runs: StartedRuns) -> None:
    """What one operation made, the next ones read, change and delete."""

    class Session(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            empty_tables()

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": HEADERS}

        def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
            validate(case, response)

    Session.run(
        settings=settings(
            max_examples=20,
            stateful_step_count=8,
            deadline=None,
            # Ids differ from run to run, so a run cannot be replayed step by step.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_operation_can_succeed_as_documented(
    api: Api, seeds: Seeds, runs: StartedRuns, label: str
) -> None:
    sent = REQUESTS[normalised(label)]
    method, _, path = label.partition(" ")
    operation = schema[path][method]
    record_id = sent.known(seeds, api) if sent.known else ""
    body: dict[str, Any] = {} if sent.body is None else {"body": sent.body}
    case = operation.Case(
        path_parameters={one.name: record_id for one in operation.path_parameters},
        query=dict(sent.query),
        media_type="application/json" if body else None,
        **body,
    )
    response = case.call(headers=HEADERS)
    assert 200 <= response.status_code < 300, response.text
    validate(case, response)
    assert not list(inexact_amounts(response.json()))


AMOUNT = re.compile(r"usd|cost|amount|price", re.IGNORECASE)


def inexact_amounts(node: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every amount of money that is not a number of millionths, such as 0.30000000000000004."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from inexact_amounts(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from inexact_amounts(value, name)
    elif isinstance(node, float) and AMOUNT.search(name) and node != round(node, 6):
        yield name, node


def test_an_amount_that_was_added_up_in_floats_is_found() -> None:
    answer = {"data": [{"cost_usd": 0.1 + 0.2}, {"cost_usd": 0.3}], "share": 0.1 + 0.2}
    assert [name for name, _ in inexact_amounts(answer)] == ["cost_usd"]
