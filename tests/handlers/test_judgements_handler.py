"""The route that creates judgement jobs."""

from __future__ import annotations

from brightrun.conversations.quality.judgement import current_rubric
from tests.builders import STRANGER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds, StartedRuns, numbered_id

JUDGE = "POST /api/conversations/judge"
ONE = {"conversationIds": [numbered_id(1)]}
JUDGED = {
    "rubric_version": current_rubric().version,
    "model": "claude-opus-5-5",
    "generator_model": "claude-sonnet-5-5",
    "score": 4.0,
    "criteria": {"arc": {"score": 4, "reason": "It moves."}},
    "input_tokens": 3000,
    "output_tokens": 600,
    "cost_micro_usd": 24_000,
    "simulated": True,
    "judged_at": "2026-11-21T12:00:00.000Z",
    "job_id": "job-1",
}


def test_a_request_becomes_a_job_of_another_model(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    seeds.conversation()
    accepted = api(JUDGE, ONE)
    assert accepted.status == 202
    assert accepted.body["model"] != "claude-sonnet-5-5"
    assert accepted.body["estimatedCost"] > 0
    assert runs.names() == [f"{accepted.body['jobId']}-1"]
    job = api(f"GET /api/batch-jobs/{accepted.body['jobId']}").body["job"]
    assert (job["kind"], job["totalItems"]) == ("judge", 1)
    (item,) = api(f"GET /api/conversations/batch/{job['id']}/items").body["items"]
    assert item["conversation_id"] == numbered_id(1)


def test_the_same_key_makes_one_job(api: Api, seeds: Seeds, runs: StartedRuns) -> None:
    seeds.conversation()
    key = {"idempotency-key": "once"}
    first, second = (api(JUDGE, ONE, headers=key).body["jobId"] for _ in range(2))
    assert first == second
    assert runs.names() == [f"{first}-1"]


def test_judged_conversations_make_no_job(api: Api, seeds: Seeds) -> None:
    seeds.conversation(judgement=JUDGED)
    answer = api(JUDGE, ONE).body
    assert (answer["jobId"], answer["alreadyJudged"]) == (None, [numbered_id(1)])
    assert seeds.rows("BatchJobsTable") == 0


def test_a_key_whose_request_needed_no_job_is_bound_all_the_same(
    api: Api, seeds: Seeds, runs: StartedRuns
) -> None:
    seeds.conversation(judgement=JUDGED)
    seeds.conversation(2)
    key = {"idempotency-key": "once"}
    first = api(JUDGE, ONE, headers=key)
    again = api(JUDGE, ONE, headers=key)
    assert (again.status, again.body) == (first.status, first.body)
    assert [one.headers.get("Idempotent-Replayed") for one in (first, again)] == [None, "true"]
    other = api(JUDGE, {"conversationIds": [numbered_id(2)]}, headers=key)
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reused")
    assert runs.names() == []


def test_the_generator_is_refused_as_a_judge(api: Api, seeds: Seeds) -> None:
    seeds.conversation()
    refused = api(JUDGE, {**ONE, "model": "claude-sonnet-5-5"})
    assert (refused.status, refused.body["code"]) == (400, "unusable_model")


def test_unknown_and_foreign_conversations_are_named(api: Api, seeds: Seeds) -> None:
    seeds.conversation(owner_id=STRANGER)
    refused = api(JUDGE, ONE)
    assert (refused.status, refused.body["code"]) == (400, "unfit_conversations")
    assert refused.body["details"] == {"unknown": [numbered_id(1)]}


def test_a_judgement_is_shown_beside_the_score(api: Api, seeds: Seeds) -> None:
    seeds.conversation(judgement=JUDGED, quality_score=2.5)
    shown = api(f"GET /api/conversations/{numbered_id(1)}").body["conversation"]
    assert shown["quality_score"] == 2.5
    assert shown["judgement"]["score"] == 4.0
    assert shown["judgement"]["cost_usd"] == 0.024
    assert shown["judgement"]["criteria"]["arc"]["reason"] == "It moves."
