"""Which group of the user pool may call which route."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from brightrun.http.permissions import GROUPS, NEEDS, group_problem, needed_group
from infra.routes import BEGINS_PAID_WORK, ROUTES
from tests.handlers.events import http_event
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, StartedRuns

EVERY_ROUTE = sorted(chain.from_iterable(ROUTES.values()))
ID = "00000000-0000-7000-8000-000000000001"


def event(route: str, groups: object = None, **more: object) -> dict[str, Any]:
    made = http_event(route, "/api", claims={"sub": "owner-1"})
    if groups is not None:
        made["requestContext"]["authorizer"]["jwt"]["claims"]["cognito:groups"] = groups
    return {**made, **more}


def may(route: str, groups: object = None, **more: object) -> bool:
    return group_problem(event(route, groups, **more)) is None


def test_every_route_that_changes_something_names_the_group_it_needs() -> None:
    assert set(NEEDS) == {route for route in EVERY_ROUTE if not route.startswith("GET ")}


@pytest.mark.parametrize("route", BEGINS_PAID_WORK)
def test_no_reviewer_may_spend(api: Api, route: str) -> None:
    refused = api(route.replace("{id}", ID), {}, groups="[reviewers]")
    assert (refused.status, refused.body["code"]) == (403, "group_required")
    assert "reviewers" not in refused.body["details"]["needed"]
    assert refused.body["details"]["groups"] == ["reviewers"]


def test_a_refusal_says_which_group_is_missing_and_what_to_do(api: Api) -> None:
    refused = api("POST /api/jobs", {}, groups="[reviewers writers]")
    assert refused.body["error"] == (
        "This needs the group 'trainers'; yours: 'reviewers', 'writers'. Let an operator add you to"
        " it, then sign in again."
    )


@pytest.mark.parametrize("route", ["POST /api/jobs", "POST /api/batch-jobs/{id}/retry-failed"])
def test_only_trainers_may_order_training(route: str) -> None:
    trains = route == "POST /api/jobs"
    assert may(route, "[writers]") is not trains
    assert may(route, "[trainers]")


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_group_may_do_all_that_those_before_it_may(route: str) -> None:
    allowed = [may(route, f"[{group}]") for group in GROUPS]
    assert allowed == sorted(allowed)
    assert allowed[-1]


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_without_a_group_everything_is_allowed_unless_groups_are_required(route: str) -> None:
    assert may(route)
    assert may(route, stageVariables={"requireGroups": "false"})
    assert not may(route, stageVariables={"requireGroups": "true"})
    assert may(route, "[trainers]", stageVariables={"requireGroups": "true"})


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_group_that_means_nothing_here_allows_nothing(route: str) -> None:
    assert not may(route, "[somebody-elses]")
    assert not may(route, "[]")


@pytest.mark.parametrize(
    "claim", ["[reviewers trainers]", "reviewers,trainers", "[reviewers, trainers]", ["trainers"]]
)
def test_the_claim_is_read_in_every_form_that_a_gateway_gives_it(claim: object) -> None:
    assert may("POST /api/jobs", claim)


def test_a_route_that_nobody_listed_needs_the_highest_group() -> None:
    assert needed_group("POST /api/something-new") == "trainers"


def test_reviewers_read_and_decide(api: Api, seeds: Seeds) -> None:
    one = seeds.enriched()
    assert api("GET /api/conversations", groups="[reviewers]").status == 200
    route = f"PATCH /api/conversations/{one.conversation_id}/status"
    assert api(route, {"status": "approved"}, groups="[reviewers]").status == 200


def test_whoever_sees_that_it_costs_too_much_may_stop_it(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    job = seeds.job(2)
    route = f"POST /api/batch-jobs/{job.job_id}/cancel"
    assert api(route, groups="[reviewers]").status == 200
