"""The generate function: what is planned, stored and started, and what is refused before that."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from brightrun.batches.model import JobStatus
from brightrun.core.ids import NIL_UUID, conversation_id
from brightrun.core.timestamps import iso
from tests.builders import OWNER, START, STRANGER, SteppedClock
from tests.fakes import scaffolding
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, StartedRuns

BATCH = "POST /api/conversations/generate-batch"
SINGLE = "POST /api/conversations/generate-with-scaffolding"
BY_TEMPLATE = "POST /api/conversations/generate"
ROC = {
    "persona_id": "overwhelmed_avoider",
    "emotional_arc_id": "confusion_to_clarity",
    "training_topic_id": "roth_ira_conversion",
}
SELECTION = {
    "personas": "all",
    "emotional_arcs": ["confusion_to_clarity", "fear_to_confidence"],
    "training_topics": ["roth_ira_conversion", "estate_planning_basics"],
}


def batch(**changes: Any) -> dict[str, Any]:
    return {"name": "A batch", "selection": SELECTION, **changes}


def sets(*parameter_sets: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"name": "A batch", "parameterSets": list(parameter_sets), **changes}


def items_of(api: Api, job_id: str) -> list[dict[str, Any]]:
    route = f"GET /api/conversations/batch/{job_id}/items"
    items: list[dict[str, Any]] = api(route, query={"limit": "100"}).body["items"]
    return items


def test_a_selection_becomes_a_batch_of_every_combination(api: Api, runs: StartedRuns) -> None:
    accepted = api(BATCH, batch())
    assert accepted.status == 202
    job_id = accepted.body["jobId"]
    assert accepted.body == {
        "success": True,
        "jobId": job_id,
        "status": "queued",
        "totalItems": 12,
        "estimatedCost": accepted.body["estimatedCost"],
        "estimatedTime": accepted.body["estimatedTime"],
        "message": "Batch of 12 conversations accepted.",
    }
    assert accepted.body["estimatedCost"] > 0
    assert accepted.body["estimatedTime"] > 0
    combinations = [
        (item["persona_key"], item["emotional_arc_key"], item["training_topic_key"])
        for item in items_of(api, job_id)
    ]
    personas = [persona for persona, _, _ in combinations[::4]]
    expected = itertools.product(
        personas, SELECTION["emotional_arcs"], SELECTION["training_topics"]
    )
    assert combinations == list(expected)
    assert len(set(personas)) == 3


def test_an_accepted_batch_is_started_with_its_workers(api: Api, runs: StartedRuns) -> None:
    job_id = api(BATCH, batch(concurrentProcessing=2)).body["jobId"]
    assert runs.names() == [f"{job_id}-1"]
    assert runs.input_of(f"{job_id}-1") == {
        "ownerId": OWNER,
        "jobId": job_id,
        "run": 1,
        "workers": [0, 1],
        "round": 0,
    }


def test_a_batch_keeps_its_options(api: Api, runs: StartedRuns) -> None:
    ordered = {"concurrentProcessing": 5, "errorHandling": "stop", "priority": "high"}
    job_id = api(BATCH, batch(name="  Autumn  ", **ordered)).body["jobId"]
    job = api(f"GET /api/batch-jobs/{job_id}").body["job"]
    assert {name: job[name] for name in ordered} == ordered
    assert job["name"] == "Autumn"


def test_calls_in_flight_are_one_number_for_the_whole_batch(api: Api, runs: StartedRuns) -> None:
    job_id = api(BATCH, batch(callsInFlight=5, concurrentProcessing=3)).body["jobId"]
    job = api(f"GET /api/batch-jobs/{job_id}").body["job"]
    assert (job["callsInFlight"], job["concurrentProcessing"]) == (5, 1)
    assert runs.input_of(f"{job_id}-1")["workers"] == [0]


def test_a_cap_is_shown_with_what_was_spent_against_it(api: Api, runs: StartedRuns) -> None:
    job_id = api(BATCH, batch(maxCostUsd=1.5)).body["jobId"]
    status = api(f"GET /api/conversations/batch/{job_id}/status").body
    assert (status["max_cost_usd"], status["cost_usd"], status["reserved_cost_usd"]) == (1.5, 0, 0)


def test_a_cap_that_does_not_pay_for_one_conversation_at_its_most_is_refused(
    api: Api, seeds: Seeds
) -> None:
    refused = api(BATCH, batch(maxCostUsd=0.05))
    assert (refused.status, refused.fields) == (400, {"maxCostUsd"})
    assert "may cost up to $0.2" in refused.body["detail"]
    assert seeds.rows("BatchJobsTable") == 0


def test_fields_may_be_written_in_snake_case_too(api: Api, runs: StartedRuns) -> None:
    body = {"name": "A batch", "parameter_sets": [{"parameters": ROC, "template_id": NIL_UUID}]}
    assert api(BATCH, body).status == 202


def test_parameter_sets_become_items_in_their_order(api: Api, runs: StartedRuns) -> None:
    template = scaffolding.template().id
    second = {**ROC, "persona_id": "anxious_planner"}
    body = sets(
        {"templateId": NIL_UUID, "parameters": ROC},
        {"templateId": template, "parameters": second, "tier": "edge_case"},
    )
    items = items_of(api, api(BATCH, body).body["jobId"])
    assert [(item["position"], item["persona_key"], item["tier"]) for item in items] == [
        (1, "overwhelmed_avoider", "template"),
        (2, "anxious_planner", "edge_case"),
    ]


def test_shared_parameters_take_precedence_over_a_sets_own(api: Api, runs: StartedRuns) -> None:
    shared = {"persona_id": "pragmatic_optimist"}
    own = {"parameters": {name: value for name, value in ROC.items() if name != "persona_id"}}
    body = sets({"parameters": ROC}, own, sharedParameters=shared)
    items = items_of(api, api(BATCH, body).body["jobId"])
    assert [item["persona_key"] for item in items] == ["pragmatic_optimist"] * 2


@pytest.mark.parametrize(
    ("route", "body"),
    [
        (SINGLE, {**ROC, "tier": "scenario"}),
        (SINGLE, {**ROC, "template_id": NIL_UUID}),
        (BY_TEMPLATE, {"templateId": NIL_UUID, "parameters": ROC}),
    ],
)
def test_a_single_conversation_is_a_batch_of_one(
    api: Api, runs: StartedRuns, route: str, body: dict[str, Any]
) -> None:
    accepted = api(route, body)
    assert accepted.status == 202
    assert accepted.body.keys() == {
        "success",
        "jobId",
        "conversation_id",
        "status",
        "estimated_cost",
        "estimated_time",
    }
    assert accepted.body["status"] == "queued"
    (item,) = items_of(api, accepted.body["jobId"])
    assert accepted.body["conversation_id"] == conversation_id(item["id"])
    assert runs.names() == [f"{accepted.body['jobId']}-1"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (batch(name=""), "name"),
        (batch(name="   "), "name"),
        (batch(name="two\nlines"), "name"),
        (batch(name="n" * 256), "name"),
        (batch(name=None), "name"),
        (batch(concurrentProcessing=0), "concurrentProcessing"),
        (batch(concurrentProcessing=11), "concurrentProcessing"),
        (batch(concurrentProcessing="3"), "concurrentProcessing"),
        (batch(concurrentProcessing=True), "concurrentProcessing"),
        (batch(errorHandling="retry"), "errorHandling"),
        (batch(priority="urgent"), "priority"),
        (batch(userId=STRANGER), "userId"),
        (batch(status="completed"), "status"),
        (batch(parameterSets=[{"parameters": ROC}]), "body"),
        ({"name": "A batch"}, "body"),
        ({"selection": SELECTION}, "name"),
        (batch(selection={**SELECTION, "personas": "some"}), "selection.personas"),
        (batch(selection={**SELECTION, "personas": 5}), "selection.personas"),
        (batch(selection={**SELECTION, "personas": []}), "selection.personas"),
        (batch(selection={**SELECTION, "personas": ["k"] * 1001}), "selection.personas"),
        (batch(selection={**SELECTION, "personas": ["k", ""]}), "selection.personas.1"),
        (
            batch(selection={"personas": "all", "emotional_arcs": "all"}),
            "selection.training_topics",
        ),
        (sets({"parameters": {**ROC, "tone": "warm"}}), "parameterSets.0.parameters.tone"),
        (sets({"parameters": ROC}, {"parameters": ROC, "tier": "x"}), "parameterSets.1.tier"),
        (sets({"parameters": ROC}, {}), "parameterSets.1.parameters.persona_id"),
        (sets(*[{"parameters": ROC}] * 10_001), "parameterSets"),
    ],
)
def test_an_invalid_batch_is_refused_by_the_fields_name(
    api: Api, seeds: Seeds, body: dict[str, Any], field: str
) -> None:
    refused = api(BATCH, body)
    assert refused.status == 400
    assert field in refused.fields
    assert seeds.rows("BatchJobsTable") == 0


@pytest.mark.parametrize(
    ("route", "body", "field"),
    [
        (SINGLE, {**ROC, "persona_id": ""}, "persona_id"),
        (SINGLE, {**ROC, "tier": "edge"}, "tier"),
        (SINGLE, {**ROC, "created_by": STRANGER}, "created_by"),
        (SINGLE, {"persona_id": "anxious_planner"}, "emotional_arc_id"),
        (BY_TEMPLATE, {"parameters": ROC}, "templateId"),
        (BY_TEMPLATE, {"templateId": NIL_UUID}, "parameters"),
        (BY_TEMPLATE, {"templateId": "t" * 101, "parameters": ROC}, "templateId"),
        (BY_TEMPLATE, {"templateId": NIL_UUID, "parameters": {}}, "parameters.persona_id"),
    ],
)
def test_an_invalid_single_request_is_refused_by_the_fields_name(
    api: Api, route: str, body: dict[str, Any], field: str
) -> None:
    refused = api(route, body)
    assert (refused.status, refused.body["code"]) == (400, "invalid_request")
    assert field in refused.fields


def test_values_outside_an_enumeration_are_answered_with_it(api: Api) -> None:
    refused = api(BATCH, batch(errorHandling="retry"))
    assert refused.body["error"].startswith("The request is not valid: errorHandling: ")
    assert all(word in refused.body["error"] for word in ("stop", "continue"))


@pytest.mark.parametrize(
    ("code", "status", "body"),
    [
        ("batch_too_large", 400, {"personas": [f"k{n}" for n in range(1000)], "size": 11}),
        ("unknown_scaffolding", 404, {"personas": ["overwhelmed_avoidr"]}),
        ("unknown_scaffolding", 404, {"template_id": NIL_UUID[:-1] + "1"}),
    ],
)
def test_a_batch_that_cannot_be_planned_stores_nothing(
    api: Api, seeds: Seeds, code: str, status: int, body: dict[str, Any]
) -> None:
    many = [f"t{number}" for number in range(body.pop("size", 0))]
    selection = {**SELECTION, **({"training_topics": many} if many else {}), **body}
    refused = api(BATCH, batch(selection=selection))
    assert (refused.status, refused.body["code"]) == (status, code)
    assert seeds.rows("BatchJobsTable") == seeds.rows("BatchItemsTable") == 0


def test_a_near_miss_is_answered_with_suggestions(api: Api) -> None:
    refused = api(SINGLE, {**ROC, "persona_id": "overwhelmed_avoidr"})
    assert "Did you mean overwhelmed_avoider?" in refused.body["error"]


def test_a_deactivated_record_is_refused_by_its_key(api: Api) -> None:
    api("DELETE /api/scaffolding/personas/overwhelmed_avoider")
    refused = api(SINGLE, ROC)
    assert (refused.status, refused.body["code"]) == (400, "invalid_input")
    assert refused.body["details"]["key"] == "overwhelmed_avoider"


def test_another_owners_persona_is_as_unknown_as_a_missing_one(api: Api) -> None:
    shown = api("GET /api/scaffolding/personas/anxious_planner").body["persona"]
    kept = {"id", "version", "origin", "created_at", "updated_at"}
    content = {name: value for name, value in shown.items() if name not in kept}
    made = api("POST /api/scaffolding/personas", {**content, "persona_key": "mine_alone"})
    record_id, missing = made.body["persona"]["id"], NIL_UUID

    def asked(persona: str) -> Answer:
        return api(SINGLE, {**ROC, "persona_id": persona}, owner=STRANGER)

    assert asked(record_id).status == 404
    assert asked(record_id).text == asked(missing).text.replace(missing, record_id)


def test_a_job_that_could_not_be_started_is_a_503_with_retry_after(api: Api) -> None:
    failed = api(BATCH, batch())  # There is no state machine.
    assert (failed.status, failed.body["code"]) == (503, "storage_unavailable")
    assert failed.headers["Retry-After"] == "1"
    assert "StartExecution" not in failed.text


def test_the_first_status_of_a_job_is_queued(api: Api, runs: StartedRuns) -> None:
    job = api(f"GET /api/batch-jobs/{api(BATCH, batch()).body['jobId']}").body["job"]
    assert (job["status"], job["startedAt"], job["completedAt"]) == (JobStatus.QUEUED, None, None)
    assert job["createdAt"] == START.isoformat(timespec="milliseconds").replace("+00:00", "Z")


PREVIEW = "POST /api/conversations/generate-batch/preview"


def test_a_preview_tells_size_price_and_time_and_stores_nothing(api: Api, seeds: Seeds) -> None:
    shown = api(PREVIEW, batch(concurrentProcessing=2))
    assert shown.status == 200
    body = shown.body
    counted = ("requestedItems", "totalItems", "personas", "emotionalArcs", "trainingTopics")
    assert [body[name] for name in counted] == [12, 12, 3, 2, 2]
    assert (body["templates"], len(body["items"]), body["problems"]) == (2, 12, [])
    assert seeds.rows("BatchJobsTable") == seeds.rows("BatchItemsTable") == 0


def test_a_model_that_retires_soon_is_named_before_and_after_the_order(
    api: Api, runs: StartedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api(PREVIEW, batch()).body["modelNotice"] is None
    monkeypatch.setattr(
        "brightrun.batches.create_batch.retirement_notice", lambda *_: "It retires on 2027-01-22."
    )
    assert api(PREVIEW, batch()).body["modelNotice"] == "It retires on 2027-01-22."
    accepted = api(BATCH, batch()).body["message"]
    assert accepted == "Batch of 12 conversations accepted. It retires on 2027-01-22."


def test_a_preview_prices_both_lanes_and_an_order_tells_its_lane(
    api: Api, runs: StartedRuns
) -> None:
    shown = api(PREVIEW, batch(lane="economy")).body
    realtime, economy = shown["lanes"]
    assert (realtime["lane"], economy["lane"], shown["lane"]) == ("realtime", "economy", "economy")
    assert shown["estimatedCost"] == economy["estimatedCost"]
    assert economy["estimatedCost"]["p50"] < 0.6 * realtime["estimatedCost"]["p50"]
    assert economy["unavailable"] is None
    job_id = api(BATCH, batch(lane="economy")).body["jobId"]
    assert api(f"GET /api/batch-jobs/{job_id}").body["job"]["lane"] == "economy"
    assert api(f"GET /api/conversations/batch/{job_id}/status").body["lane"] == "economy"


def test_an_order_with_a_deadline_says_how_it_is_done_and_why(
    api: Api, clock: SteppedClock, runs: StartedRuns
) -> None:
    done_by = iso(clock() + timedelta(hours=6))
    shown = api(PREVIEW, batch(doneBy=done_by)).body
    deadline = shown["deadline"]
    assert (shown["lane"], deadline["doneBy"], deadline["notice"]) == ("economy", done_by, None)
    assert iso(clock()) < deadline["switchAt"] < done_by
    assert [end["lane"] for end in deadline["ends"]] == ["realtime", "economy"]
    accepted = api(BATCH, batch(doneBy=done_by)).body
    assert accepted["message"].endswith(deadline["reason"])
    job = api(f"GET /api/batch-jobs/{accepted['jobId']}").body["job"]
    assert (job["lane"], job["switchAt"], job["doneBy"]) == (
        "economy",
        deadline["switchAt"],
        done_by,
    )
    assert api(PREVIEW, batch()).body["deadline"] is None


def test_a_deadline_that_is_past_or_stands_beside_a_lane_is_refused(
    api: Api, clock: SteppedClock
) -> None:
    past = batch(doneBy=iso(clock() - timedelta(hours=1)))
    for route in (BATCH, PREVIEW):
        refused = api(route, past)
        assert (refused.status, refused.body["code"]) == (400, "invalid_input")
        assert refused.body["details"][0]["field"] == "doneBy"
    both = api(BATCH, batch(doneBy=iso(clock() + timedelta(hours=1)), lane="realtime"))
    assert both.status == 400
    assert "either lane or doneBy" in both.body["error"]


def test_an_unknown_lane_is_refused(api: Api) -> None:
    assert api(BATCH, batch(lane="slow")).status == 400


def test_the_median_of_a_preview_is_the_price_of_the_batch(api: Api, runs: StartedRuns) -> None:
    shown, accepted = api(PREVIEW, batch()).body, api(BATCH, batch()).body
    cost, time = shown["estimatedCost"], shown["estimatedTime"]
    assert (cost["p50"], time["p50"]) == (accepted["estimatedCost"], accepted["estimatedTime"])
    assert cost["p50"] < cost["p90"] < 2 * cost["p50"]
    assert time["p50"] < time["p90"] < 2 * time["p50"]


def test_a_preview_tells_what_does_not_fit_and_why(api: Api) -> None:
    odd = {
        "personas": ["pragmatic_optimist"],
        "emotional_arcs": ["shame_to_acceptance", "confusion_to_clarity"],
        "training_topics": ["long_term_care"],
    }
    body = api(PREVIEW, batch(selection=odd)).body
    (one,) = body["incompatible"]
    assert (body["totalItems"], body["incompatibleItems"]) == (2, 1)
    assert (one["emotional_arc_key"], one["confidence"]) == ("shame_to_acceptance", 0.3)
    assert len(one["warnings"]) == 4
    assert {warning["warning"] for warning in body["warnings"]} >= set(one["warnings"])


def test_a_preview_lists_everything_that_a_batch_is_refused_for(
    api: Api, runs: StartedRuns
) -> None:
    api(f"DELETE /api/templates/{scaffolding.template('fear_to_confidence').id}")
    broken = batch(selection={**SELECTION, "personas": ["anxious_planer", "anxious_planner"]})
    body = api(PREVIEW, broken).body
    assert (body["requestedItems"], body["totalItems"], body["problemCount"]) == (8, 2, 2)
    assert [one["code"] for one in body["problems"]] == [
        "unknown_scaffolding",
        "no_template_for_arc",
    ]
    refused = api(BATCH, broken)
    assert (refused.status, refused.body["code"]) == (400, "unplannable_batch")
    assert refused.body["details"] == body["problems"]
    assert runs.names() == []


def test_a_sample_and_the_rest_are_the_whole_selection(api: Api, runs: StartedRuns) -> None:
    def combinations(selection: dict[str, Any]) -> list[tuple[str, ...]]:
        names = ("persona_key", "emotional_arc_key", "training_topic_key")
        job_id = api(BATCH, batch(selection=selection)).body["jobId"]
        return [tuple(item[name] for name in names) for item in items_of(api, job_id)]

    sample = combinations({**SELECTION, "sample": 5})
    names = ("persona_id", "emotional_arc_id", "training_topic_id")
    sampled = [dict(zip(names, one, strict=True)) for one in sample]
    rest = combinations({**SELECTION, "exclude": sampled})
    assert (len(sample), len(rest)) == (5, 7)
    assert sorted(sample + rest) == sorted(combinations(SELECTION))
    assert combinations({**SELECTION, "sample": 5}) == sample


@pytest.mark.parametrize("sample", [0, 101, "3", True])
def test_a_sample_of_no_sensible_size_is_refused(api: Api, sample: Any) -> None:
    assert api(BATCH, batch(selection={**SELECTION, "sample": sample})).status == 400
