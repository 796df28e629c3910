"""Lists of conversations over HTTP: filters, sorts, pages, and what they come to in numbers."""

from __future__ import annotations

import base64
import json
from typing import Any, get_args

import pytest

from brightrun.conversations.digests import SortBy, SortDirection
from tests.aws import Aws
from tests.builders import OWNER, STRANGER
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds

LIST = "GET /api/conversations"
SCORES = {1: 2.0, 2: 4.5, 3: None, 4: 3.5}


@pytest.fixture
def four(seeds: Seeds) -> None:
    """Four conversations, the newest the fourth; the third has no score."""
    for number, score in SCORES.items():
        seeds.conversation(
            number,
            conversation_name=f"Ana {number}" if number % 2 else f"Marcus {number}",
            quality_score=score,
            turn_count=10 - number,
            enrichment_status="completed" if score else "not_started",
            status="approved" if number == 2 else "pending_review",
            tier="edge_case" if number == 4 else "template",
            simulated=number < 3,
            created_at=f"2026-11-21T12:00:0{number}.000Z",
            updated_at=f"2026-11-2{5 - number}T12:00:00.000Z",
        )


def listed(api: Api, **query: Any) -> list[int]:
    answer = api(LIST, query={name: str(value) for name, value in query.items()})
    assert answer.status == 200, answer.text
    return numbers(answer)


def numbers(answer: Answer) -> list[int]:
    return [int(one["conversation_name"][-1]) for one in answer.body["conversations"]]


pytestmark = pytest.mark.usefixtures("four")


@pytest.mark.parametrize(
    ("sort_by", "rising"),
    [
        ("created_at", [1, 2, 3, 4]),
        ("quality_score", [1, 4, 2, 3]),
        ("turn_count", [4, 3, 2, 1]),
        ("updated_at", [4, 3, 2, 1]),
    ],
)
def test_lists_are_sorted_either_way(api: Api, sort_by: str, rising: list[int]) -> None:
    assert listed(api, sortBy=sort_by, sortDirection="asc") == rising
    falling = [2, 4, 1, 3] if sort_by == "quality_score" else rising[::-1]
    assert listed(api, sortBy=sort_by) == falling


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"quality_min": 3.5}, [4, 2]),
        ({"quality_max": 3.5}, [4, 1]),
        ({"quality_min": 2, "quality_max": 4}, [4, 1]),
        ({"enrichment_status": "not_started"}, [3]),
        ({"search": "MARCUS"}, [4, 2]),
        ({"search": "ana", "quality_min": 1}, [1]),
        ({"search": "Roth IRA 4"}, [4]),
        ({"search": "avoider marcus clarity"}, [4, 2]),
    ],
)
def test_lists_hold_what_was_asked_for(
    api: Api, query: dict[str, Any], expected: list[int]
) -> None:
    assert listed(api, **query) == expected
    assert listed(api, **query, page=1) == expected


def test_pages_are_numbered_and_counted(api: Api) -> None:
    last = api(LIST, query={"page": "2", "limit": "3", "sortBy": "turn_count"}).body
    assert (last["page"], last["limit"], last["total"], last["totalPages"]) == (2, 3, 4, 2)
    assert (last["count"], last["next_cursor"]) == (1, None)
    beyond = api(LIST, query={"page": "3", "limit": "3"}).body
    assert (beyond["count"], beyond["total"]) == (0, 4)


@pytest.mark.parametrize("sort_by", get_args(SortBy))
@pytest.mark.parametrize("direction", get_args(SortDirection))
def test_a_list_in_any_order_goes_on_by_cursor(api: Api, sort_by: str, direction: str) -> None:
    query = {"sortBy": sort_by, "sortDirection": direction, "search": "a"}
    whole = listed(api, **query)
    assert len(whole) == 4
    page = api(LIST, query={**query, "limit": "1"})
    walked = numbers(page)
    assert page.body["page"] == 1
    while cursor := page.body["next_cursor"]:
        page = api(LIST, query={**query, "limit": "1", "cursor": cursor})
        assert (page.body["page"], page.body["total"], page.body["totalPages"]) == (None, 4, 4)
        walked += numbers(page)
    assert walked == whole


def test_a_cursor_of_an_earlier_version_goes_on(api: Api) -> None:
    newest = api(LIST, query={"limit": "1"}).body["conversations"][0]
    key = {
        "owner_id": OWNER,
        "conversation_id": newest["id"],
        "created_at": newest["created_at"],
    }
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
    assert listed(api, cursor=cursor) == [3, 2, 1]


@pytest.mark.parametrize(
    "changed", [{"value": "4"}, {"value": [1]}, {"sort_by": 7}, {"sort_by": "updated_at"}]
)
def test_a_cursor_that_was_changed_is_refused(api: Api, changed: dict[str, Any]) -> None:
    key = {"owner_id": OWNER, "conversation_id": "x", "sort_by": "turn_count", "value": 1}
    cursor = base64.urlsafe_b64encode(json.dumps(key | changed).encode()).decode()
    refused = api(LIST, query={"sortBy": "turn_count", "cursor": cursor})
    assert (refused.status, refused.body["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("query", [{"page": "2"}, {"sortBy": "turn_count"}])
def test_a_cursor_goes_with_no_page_and_no_other_order(api: Api, query: dict[str, str]) -> None:
    cursor = api(LIST, query={"limit": "1"}).body["next_cursor"]
    refused = api(LIST, query={**query, "cursor": cursor})
    assert refused.status == 400
    assert "cursor" in refused.body["error"]


@pytest.mark.parametrize("name", ["sortBy", "sortDirection", "quality_min", "page", "search"])
def test_what_no_list_can_be_is_refused_by_its_name(api: Api, name: str) -> None:
    wrong = {"quality_min": "6", "page": "0", "search": ""}.get(name, "sideways")
    refused = api(LIST, query={name: wrong})
    assert (refused.status, refused.fields) == (400, {name})


def test_what_was_changed_or_deleted_a_moment_ago_is_not_listed_as_it_was(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    assert listed(api, status="pending_review") == [4, 3, 1]
    # The index lags: the row is changed where nobody has told it yet.
    stored = seeds.conversation(5, created_at="2026-11-21T12:00:05.000Z", conversation_name="Ana 5")
    assert listed(api, status="pending_review") == [5, 4, 3, 1]
    aws.dynamodb.update_item(
        TableName="ConversationsTable",
        Key={"owner_id": {"S": OWNER}, "conversation_id": {"S": stored.conversation_id}},
        UpdateExpression="SET #status = :approved",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":approved": {"S": "approved"}},
    )
    assert listed(api, status="pending_review") == [4, 3, 1]


def test_coverage_counts_combinations_by_status(api: Api, seeds: Seeds) -> None:
    seeds.conversation(5, training_topic_key="student_loan_payoff", batch_job_id="job-9")
    answer = api("GET /api/conversations/coverage").body
    assert (answer["total"], answer["omitted"]) == (5, 0)
    often, rare = answer["combinations"]
    assert often == {
        "persona_key": "overwhelmed_avoider",
        "emotional_arc_key": "confusion_to_clarity",
        "training_topic_key": "roth_ira_conversion",
        "total": 4,
        "by_status": {"pending_review": 3, "approved": 1},
    }
    assert (rare["training_topic_key"], rare["total"]) == ("student_loan_payoff", 1)
    of_job = api("GET /api/conversations/coverage", query={"batch_job_id": "job-9"}).body
    assert (of_job["total"], len(of_job["combinations"])) == (1, 1)


def test_statistics_count_what_became_of_conversations(api: Api) -> None:
    stats = api("GET /api/conversations/stats").body
    assert (stats["total"], stats["simulated"], stats["scored"]) == (4, 2, 3)
    assert stats["by_status"] == {"pending_review": 3, "approved": 1}
    assert stats["by_tier"] == {"template": 3, "edge_case": 1}
    assert stats["by_enrichment_status"] == {"completed": 3, "not_started": 1}
    assert stats["average_quality_score"] == 3.33


def test_statistics_of_nothing_have_no_average(api: Api) -> None:
    stats = api("GET /api/conversations/stats", owner=STRANGER).body
    assert (stats["total"], stats["average_quality_score"]) == (0, None)
