"""Lists of conversations over HTTP: filters, sorts, pages, and what they come to in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.conversations import service
from tests.builders import STRANGER
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


def test_a_list_by_cursor_counts_nothing_and_goes_on(api: Api) -> None:
    query = {"limit": "3", "sortDirection": "asc", "search": "a"}
    first = api(LIST, query=query)
    assert (first.body["page"], first.body["total"], first.body["totalPages"]) == (None, None, None)
    rest = api(LIST, query={**query, "cursor": first.body["next_cursor"]})
    assert numbers(first) + numbers(rest) == [1, 2, 3, 4]


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


def test_more_than_can_be_sorted_asks_for_a_narrower_filter(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_SORTED", 3)
    refused = api(LIST, query={"sortBy": "turn_count"})
    assert (refused.status, refused.body["code"]) == (400, "too_many_conversations")
    assert "narrow the filter" in refused.body["error"]
    assert listed(api, sortBy="turn_count", quality_min=1) == [1, 2, 4]
    assert listed(api) == [4, 3, 2, 1]


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
