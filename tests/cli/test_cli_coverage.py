"""conversations coverage, duplicates and the order of list; costs."""

import json
from typing import Any

import pytest

from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import CONVERSATION, serve_list
from tests.cli.fake_system import FakeSystem, Json

pytestmark = pytest.mark.usefixtures("signed_in")

PLANNED = "/api/batch-jobs/planned"
COVERAGE, DUPLICATES = "/api/conversations/coverage", "/api/conversations/duplicates"

DIVERSITY = "/api/conversations/diversity"


def cell(arc: str, topic: str, total: int, **by_status: int) -> Json:
    keys = {"emotional_arc_key": arc, "training_topic_key": topic}
    return {"persona_key": "anxious_planner", **keys, "total": total, "by_status": by_status}


def serve(system: FakeSystem, method: str, path: str, document: Json) -> None:
    system.route(method, path, lambda _, __: document)


def test_coverage_is_a_table_of_topics_and_arcs(brightrun: BrightRun, system: FakeSystem) -> None:
    cells = [cell("fear_to_confidence", "wills", 1234, approved=2), cell("shame", "loans", 1)]
    document = {"success": True, "total": 1235, "combinations": cells, "omitted": 7}
    serve(system, "GET", COVERAGE, document)
    output = brightrun("conversations", "coverage", "--batch", "job-1").stdout
    rows = {line.split()[0]: line.split()[1:] for line in output.splitlines() if line.split()}
    assert rows["loans"] == ["-", "0", "of", "1"]
    assert rows["wills"] == ["2", "of", "1,234", "-"]
    assert "1,235 conversations in 9 combinations, of which 7 are not shown" in output
    assert system.requests[-1].query == {"batch_job_id": "job-1"}
    assert json.loads(brightrun("conversations", "coverage", "--json").stdout) == document


def test_planned_combinations_are_listed_with_their_sum(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    keys = {"emotional_arc_key": "shame", "training_topic_key": "loans"}
    planned = [{"persona_key": "anxious_planner", **keys, "planned": 3}]
    answer = {"success": True, "combinations": planned, "total": 3, "complete": False}
    serve(system, "GET", PLANNED, answer)
    output = brightrun("conversations", "planned").stdout
    for text in ("anxious_planner", "shame", "loans", "3 conversations are not written yet"):
        assert text in output
    assert "more in older batches" in output
    assert json.loads(brightrun("conversations", "planned", "--json").stdout) == answer


def test_duplicates_of_what_filters_find_are_listed(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    found = {"kind": "near", "conversation_id": "c-2", "same_as": "c-1", "overlap": 0.83}
    answer = {"success": True, "compared": 2, "duplicates": [found], "not_enriched": ["c-3"]}
    serve(system, "POST", DUPLICATES, answer)
    output = brightrun("conversations", "duplicates", "--tier", "template").stdout
    for text in ("c-2", "c-1", "near", "83 %", "1 duplicates among 2", "1 are not enriched"):
        assert text in output
    assert system.sent("POST", DUPLICATES)[0].body == {"conversation_ids": [CONVERSATION]}
    brightrun("conversations", "duplicates", "c-1", "c-2")
    assert system.sent("POST", DUPLICATES)[1].body == {"conversation_ids": ["c-1", "c-2"]}


def test_diversity_is_shown_with_the_size_of_the_sample(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    figures: Json = {"distinct_1": 0.1, "distinct_2": 0.42, "compression_ratio": 3.21}
    openings = [{"opening": "i never know where to start", "conversations": 31}]
    figures |= {"repeated_phrases": 0.07, "repeated_openings": openings, "duplicates": []}
    figures |= {"conversations": 499}
    answer = {"success": True, "matching": 1200, "diversity": figures, "not_enriched": 1}
    serve(system, "POST", DIVERSITY, answer)
    output = brightrun("conversations", "diversity", "--batch", "job-1").stdout
    for text in ("499 of 1,200", "0.42", "3.21", "0.07", "i never know where to start", "31"):
        assert text in output
    assert "1 are not enriched" in output
    assert system.sent("POST", DIVERSITY)[0].body == {"filter": {"batch_job_id": "job-1"}}
    assert json.loads(brightrun("conversations", "diversity", "--json").stdout) == answer


def test_the_newest_are_compared_and_it_says_that_there_are_more(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    rows = [{"conversation_id": f"c-{number}"} for number in range(502)]
    serve_list(system, "/api/conversations", "conversations", rows)
    answer = {"success": True, "compared": 500, "duplicates": [], "not_enriched": []}
    serve(system, "POST", DUPLICATES, answer)
    document = json.loads(brightrun("conversations", "duplicates", "--json").stdout)
    assert document["more"] is True
    (sent,) = system.sent("POST", DUPLICATES)
    assert sent.body["conversation_ids"] == [f"c-{number}" for number in range(500)]


@pytest.mark.parametrize(
    "arguments", [("c-1", "--tier", "template"), tuple(f"c-{number}" for number in range(501))]
)
def test_what_cannot_be_compared_is_refused(
    brightrun: BrightRun, system: FakeSystem, arguments: tuple[str, ...]
) -> None:
    assert brightrun("conversations", "duplicates", *arguments).exit_code == 2
    assert system.sent("POST", DUPLICATES) == []


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ((), {}),
        (("--sort", "quality_score"), {"sortBy": "quality_score", "sortDirection": "asc"}),
        (
            ("--sort", "turn_count", "--descending"),
            {"sortBy": "turn_count", "sortDirection": "desc"},
        ),
    ],
)
def test_a_list_is_sorted(
    brightrun: BrightRun, system: FakeSystem, options: tuple[str, ...], query: dict[str, str]
) -> None:
    assert brightrun("conversations", "list", *options).exit_code == 0
    assert system.requests[-1].query == {**query, "limit": "25"}


def test_a_direction_needs_an_order(brightrun: BrightRun) -> None:
    assert brightrun("conversations", "list", "--descending").exit_code == 2


def costs(**changes: Any) -> Json:
    paid = {"writing": 1230.0, "judging": 0.004, "training_compute": 4.5}
    record: Json = {"recorded_at": "2026-08-05T10:00:00Z", "cost_type": "training_compute"}
    record |= {"job_id": "job-1", "amount": 4.5, "simulated": False}
    data = {"total_cost": 1234.504, "cost_by_type": paid, "simulated_cost": 0.0}
    return {"success": True, "data": {**data, "records": [record], **changes}}


def test_costs_are_one_sum_and_what_it_is_made_of(brightrun: BrightRun, system: FakeSystem) -> None:
    serve(system, "GET", "/api/costs", costs())
    output = brightrun("costs").stdout
    for text in ("$1,234.50", "of it writing", "$1,230.00", "under $0.01", "of it training"):
        assert text in output
    assert "simulated, not paid" not in output


def test_what_was_simulated_is_told_apart(brightrun: BrightRun, system: FakeSystem) -> None:
    serve(system, "GET", "/api/costs", costs(simulated_cost=2.5))
    output = brightrun("costs").stdout
    assert "simulated, not paid" in output
    assert "$2.50" in output


def budget(**owner: Any) -> Json:
    nothing = {"writing": 0.0, "training": 0.0}
    mine = {"limit_usd": None, "spent": nothing, "reserved": nothing, "left_usd": None, **owner}
    data = {"month": "2026-11", "owner": mine, "deployment": None}
    return {"success": True, "data": {**data, "training_price_without_cap_usd": 100.0}}


def test_a_budget_is_shown_with_what_is_spent_reserved_and_left(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    spent = {"writing": 12.5, "training": 0.0}
    reserved = {"writing": 3.0, "training": 40.0}
    answer = budget(limit_usd=500.0, spent=spent, reserved=reserved, left_usd=444.5)
    serve(system, "GET", "/api/costs/budget", answer)
    output = brightrun("budget").stdout
    for text in ("2026-11 (UTC)", "$12.50", "$3.00", "$40.00", "$500.00", "$444.50", "$100.00"):
        assert text in output
    assert "The deployment" not in output


def test_without_a_budget_that_is_said(brightrun: BrightRun, system: FakeSystem) -> None:
    serve(system, "GET", "/api/costs/budget", budget())
    assert "none" in brightrun("budget").stdout
