"""The route that shows budgets, and the orders that a budget refuses."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.batches.model import JobAction
from tests import builders as build
from tests.aws import Aws
from tests.builders import OWNER, START, STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, StartedRuns
from tests.handlers.test_generate_handler import BATCH, ROC, SINGLE, sets

BUDGET = "GET /api/costs/budget"
H100 = {"type": "H100", "count": 1}


@pytest.fixture
def limited(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of a deployment in which each owner may spend one dollar a month."""
    monkeypatch.setenv("OWNER_BUDGET_USD", "1")
    return api


def budget(api: Api, **who: Any) -> dict[str, Any]:
    answer = api(BUDGET, **who)
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.body["data"]
    return data


def test_without_limits_spending_is_counted_all_the_same(api: Api, runs: StartedRuns) -> None:
    assert api(SINGLE, ROC).status == 202
    data = budget(api)
    reserved = data["owner"]["reserved"]["writing"]
    assert 0 < reserved < 1
    assert data == {
        "month": "2026-11",
        "owner": {
            "limit_usd": None,
            "spent": {"writing": 0.0, "training": 0.0},
            "reserved": {"writing": reserved, "training": 0.0},
            "left_usd": None,
        },
        "deployment": None,
        "training_price_without_cap_usd": 100.0,
    }


def test_a_budget_is_the_callers_own(limited: Api, runs: StartedRuns) -> None:
    assert limited(SINGLE, ROC).status == 202
    assert budget(limited)["owner"]["left_usd"] < 1
    assert budget(limited, owner=STRANGER)["owner"]["left_usd"] == 1


def test_the_deployments_budget_is_shown_where_there_is_one(
    api: Api, runs: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEPLOYMENT_BUDGET_USD", "2.50")
    assert api(SINGLE, ROC).status == 202
    everybodys = budget(api, owner=STRANGER)["deployment"]
    assert everybodys["limit_usd"] == 2.5
    assert everybodys["left_usd"] == 2.5 - everybodys["reserved"]["writing"]


@pytest.mark.parametrize("route", [BATCH, SINGLE])
def test_an_order_to_claude_beyond_the_budget_is_refused_with_all_amounts(
    limited: Api, runs: StartedRuns, route: str
) -> None:
    body = sets(*[{"parameters": ROC}] * 3, maxCostUsd=0.9)
    assert limited(BATCH, body).status == 202
    again = sets({"parameters": ROC}) if route == BATCH else ROC
    refused = limited(route, again)
    assert (refused.status, refused.body["code"]) == (409, "budget_exceeded")
    details = refused.body["details"]
    assert details["reserved_usd"] == 0.9
    assert details["needed_usd"] > details["left_usd"] == pytest.approx(0.1)
    assert len(limited("GET /api/batch-jobs").body["jobs"]) == 1
    assert len(runs.names()) == 1


def test_training_beyond_the_budget_is_refused(
    limited: Api, seeds: Seeds, trainings: StartedRuns
) -> None:
    dataset = seeds.dataset()
    body = {"dataset_id": dataset.dataset_id, "gpu_config": H100, "max_cost_usd": 20}
    refused = limited("POST /api/jobs", body)
    assert (refused.status, refused.body["code"]) == (409, "budget_exceeded")
    assert trainings.names() == []
    assert limited(f"GET /api/datasets/{dataset.dataset_id}").body["data"]["active_jobs"] == 0


def test_training_that_is_cancelled_before_it_began_gives_all_of_it_back(
    limited: Api, seeds: Seeds, trainings: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWNER_BUDGET_USD", "50")
    body = {"dataset_id": seeds.dataset().dataset_id, "gpu_config": H100, "max_cost_usd": 20}
    made = limited("POST /api/jobs", body)
    assert made.status == 201, made.text
    assert budget(limited)["owner"]["reserved"]["training"] == 20
    assert limited(f"POST /api/jobs/{made.body['data']['id']}/cancel").status == 200
    assert budget(limited)["owner"]["left_usd"] == 50


def test_training_above_the_price_of_this_deployment_needs_a_cap(
    api: Api, seeds: Seeds, trainings: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINING_PRICE_WITHOUT_CAP_USD", "0.01")
    body = {"dataset_id": seeds.dataset().dataset_id, "gpu_config": H100}
    refused = api("POST /api/jobs", body)
    assert (refused.status, refused.body["details"][0]["field"]) == (400, "max_cost_usd")
    assert api("POST /api/jobs", {**body, "max_cost_usd": 20}).status == 201


def test_a_retry_beyond_the_budget_is_refused(
    limited: Api, aws: Aws, seeds: Seeds, runs: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = seeds.completed(seeds.job(1), build.failed(cost_micro_usd=400))
    aws.batches.apply(OWNER, job.job_id, JobAction.FAIL, START, build.a_line("The end"))
    monkeypatch.setenv("OWNER_BUDGET_USD", "0.10")
    refused = limited(f"POST /api/batch-jobs/{job.job_id}/retry-failed")
    assert (refused.status, refused.body["code"]) == (409, "budget_exceeded")
    assert limited(f"GET /api/batch-jobs/{job.job_id}").body["job"]["status"] == "failed"
