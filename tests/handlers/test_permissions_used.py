"""Each function's grants are what it calls, no more and no less.

One run through every route and every kind of turn records the calls; the grants table must cover
all of them and hold nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import pytest

from infra.permissions import FUNCTION_GRANTS, LOGS_AND_TRACES, Grant
from infra.routes import ROUTES
from tests.handlers.aws_calls import Call
from tests.handlers.every_operation import run_every_operation
from tests.handlers.system_under_test import SystemUnderTest, system_under_test

# Granted, though no code of ours calls it.
WITHOUT_A_CALL = {
    **{
        Call(action, grant.resource): "Lambda itself writes the log and the traces"
        for grant in LOGS_AND_TRACES
        for action in grant.actions
    },
    **{
        Call("s3:ListBucket", bucket): (
            "decides whether GetObject answers 404 or 403 for a missing key; moto answers 404 too"
        )
        for bucket in ("BaseModelsBucket", "DatasetsBucket", "ModelsBucket")
    },
    Call("s3:ListBucket", "ConversationFilesBucket"): (
        "decides whether GetObject answers 404 or 403 for a missing key; moto answers 404 anyway"
    ),
}


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def system() -> SystemUnderTest:
    """The system after it did everything it can do; what it called is on record."""
    with system_under_test() as system:
        run_every_operation(system)
    return system


def steps(grants: Iterable[Grant]) -> set[Call]:
    return {Call(action, grant.resource) for grant in grants for action in grant.actions}


def covers(granted: Call, call: Call) -> bool:
    return granted.action == call.action and fnmatchcase(call.resource, granted.resource)


def denied(calls: set[Call], granted: set[Call]) -> set[Call]:
    return {call for call in calls if not any(covers(step, call) for step in granted)}


def unused(calls: set[Call], granted: set[Call]) -> set[Call]:
    idle = {step for step in granted if not any(covers(step, call) for call in calls)}
    return idle - WITHOUT_A_CALL.keys()


def test_every_route_was_used(system: SystemUnderTest) -> None:
    assert system.routes == {route for routes in ROUTES.values() for route in routes}


@pytest.mark.parametrize("function", sorted(FUNCTION_GRANTS))
def test_a_function_may_do_what_it_does_and_nothing_else(
    system: SystemUnderTest, function: str
) -> None:
    calls, granted = system.calls.by_function[function], steps(FUNCTION_GRANTS[function])
    assert denied(calls, granted) == set()
    assert unused(calls, granted) == set()


@pytest.mark.parametrize("function", sorted(FUNCTION_GRANTS))
def test_no_grant_can_be_taken_away(system: SystemUnderTest, function: str) -> None:
    calls, granted = system.calls.by_function[function], steps(FUNCTION_GRANTS[function])
    for step in granted - WITHOUT_A_CALL.keys():
        assert denied(calls, granted - {step}), step


@pytest.mark.parametrize("function", sorted(FUNCTION_GRANTS))
def test_a_grant_too_many_is_found(system: SystemUnderTest, function: str) -> None:
    calls, granted = system.calls.by_function[function], steps(FUNCTION_GRANTS[function])
    for extra in (
        Call("dynamodb:DeleteItem", "BatchJobsTable"),
        Call("s3:GetObject", "BatchLogsBucket/*/log.txt"),
    ):
        assert unused(calls, {*granted, extra}) == {extra}


def test_only_what_is_granted_is_excused_from_being_called() -> None:
    granted = {step for grants in FUNCTION_GRANTS.values() for step in steps(grants)}
    assert granted >= WITHOUT_A_CALL.keys()
    assert all(len(reason) >= 20 for reason in WITHOUT_A_CALL.values())
