"""Ordering a batch in the browser: a choice, a table, the gaps, a sample and the rest."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
expect.set_options(timeout=15_000)
Combination = tuple[str, str, str]


def address(**search: Any) -> str:
    """The address of a new batch in which something is chosen."""
    return f"/batches/new?{urlencode({name: json.dumps(it) for name, it in search.items()})}"


def job_of(page: Page) -> str:
    """The batch whose page is open."""
    page.wait_for_url(re.compile(r"/batches/[0-9a-f-]{36}$"))
    return page.url.rpartition("/")[2]


def combinations(system: Installation, job_id: str) -> list[Combination]:
    return sorted(
        (item["persona_key"], item["emotional_arc_key"], item["training_topic_key"])
        for item in system.items(job_id)
    )


def active_keys(system: Installation, kind: str, name: str, key: str) -> list[str]:
    records = system.client.get(f"/api/scaffolding/{kind}", {})[name]
    return [record[key] for record in records]


def test_a_batch_is_chosen_by_search_and_ordered(signed_in: SignedIn, system: Installation) -> None:
    page = signed_in.open("/batches/new")
    personas = page.get_by_role("group", name="Personas")
    personas.get_by_role("button", name="Select all").click()
    arcs = page.get_by_role("group", name="Emotional arcs")
    arcs.get_by_label("Search emotional arcs").fill("edge cases")
    arcs.get_by_role("button", name="Select 3 found").click()
    topics = page.get_by_role("group", name="Topics")
    topics.get_by_label("Search topics").fill("roth")
    topics.get_by_role("checkbox", name="Roth IRA").check()
    page.get_by_text("3 personas × 3 arcs × 1 topic = 9 combinations").wait_for()
    page.get_by_label("Name", exact=True).fill("Edges")
    page.get_by_label("Priority").select_option("high")
    page.get_by_label("Calls at once").fill("2")
    page.get_by_label("If one fails").select_option("stop")
    page.get_by_text("by 3 templates, each about $").wait_for()
    page.get_by_role("button", name="Write 9").click()
    job_id = job_of(page)
    job = system.client.get(f"/api/batch-jobs/{job_id}", {})["job"]
    assert (job["name"], job["priority"], job["callsInFlight"], job["errorHandling"]) == (
        "Edges",
        "high",
        2,
        "stop",
    )
    assert len(set(combinations(system, job_id))) == 9


def test_a_batch_is_ordered_to_be_done_by_a_time_instead_of_in_a_lane(
    signed_in: SignedIn, system: Installation
) -> None:
    chosen = {"personas": ["anxious_planner"], "arcs": ["fear_to_confidence"], "topics": "all"}
    page = signed_in.open(address(**chosen))
    at = datetime.now() + timedelta(hours=6)  # noqa: DTZ005 - the browser's own time zone
    page.get_by_label("Done by").fill(f"{at:%Y-%m-%dT%H:%M}")
    page.get_by_text("is cancelled there and written in realtime").wait_for()
    expect(page.get_by_role("combobox", name=re.compile("^Lane"))).to_be_disabled()
    page.get_by_role("button", name=re.compile("^Write [0-9]+$")).click()
    job_id = job_of(page)
    job = system.client.get(f"/api/batch-jobs/{job_id}", {})["job"]
    asked = datetime.fromisoformat(job["doneBy"].replace("Z", "+00:00"))
    assert abs(asked - at.astimezone(UTC)) < timedelta(minutes=1)
    assert (job["lane"], job["switchAt"] < job["doneBy"]) == ("economy", True)
    page.get_by_text("(economy, realtime in").wait_for()


def test_answers_that_were_paid_for_are_reused_where_that_is_checked(
    signed_in: SignedIn, system: Installation
) -> None:
    topic = active_keys(system, "training-topics", "training_topics", "topic_key")[0]
    chosen = {"personas": ["anxious_planner"], "arcs": ["fear_to_confidence"], "topics": [topic]}
    page = signed_in.open(address(**chosen))
    page.get_by_role("button", name="Write 1", exact=True).click()
    system.follow(job_of(page))
    page = signed_in.open(address(**chosen))
    page.get_by_label("Reuse earlier answers").check()
    page.get_by_role("button", name="Write 1", exact=True).click()
    again = job_of(page)
    system.follow(again)
    status = system.client.get(f"/api/conversations/batch/{again}/status", {})
    assert (status["reused_items"], status["cost_usd"]) == (1, 0)


def test_the_price_shown_is_the_price_of_the_order(
    signed_in: SignedIn, system: Installation
) -> None:
    selection = {
        "personas": ["anxious_planner"],
        "emotional_arcs": "all",
        "training_topics": "all",
    }
    body = {"name": "Price", "selection": selection}
    preview = system.client.post("/api/conversations/generate-batch/preview", body)
    page = signed_in.open(address(personas=["anxious_planner"], arcs="all", topics="all"))
    page.get_by_text(f"${preview['estimatedCost']['p50']:.2f}", exact=True).wait_for()
    page.get_by_text(f"up to ${preview['estimatedCost']['p90']:.2f} (p90)").wait_for()
    page.get_by_text(f"{preview['totalItems']} conversations of 1 persona").wait_for()


def test_a_sample_is_written_and_read_before_the_rest(
    signed_in: SignedIn, system: Installation
) -> None:
    topics = ["roth_ira_conversion", "student_loan_payoff", "esg_investing"]
    arcs = ["fear_to_confidence", "confusion_to_clarity"]
    page = signed_in.open(
        address(personas=["anxious_planner"], arcs=arcs, topics=topics, name="Retire")
    )
    page.get_by_role("button", name="Write a sample of 2 first").click()
    page.wait_for_url(re.compile("sample="))
    sampled = page.url.rpartition("sample=")[2]
    system.follow(sampled)
    sample = page.get_by_role("list", name="Conversations of the sample")
    expect(sample.get_by_role("link", name="Read")).to_have_count(2)
    sample.get_by_role("link", name="Read").first.click()
    page.get_by_role("list", name="Turns").wait_for()
    page.go_back()
    page.get_by_role("button", name="Write the other 4").click()
    rest = combinations(system, job_of(page))
    assert len(combinations(system, sampled)) == 2
    assert sorted(rest + combinations(system, sampled)) == sorted(
        ("anxious_planner", arc, topic) for arc in arcs for topic in topics
    )


def test_faults_of_a_pasted_table_are_named_by_line(
    signed_in: SignedIn, system: Installation
) -> None:
    page = signed_in.open("/batches/new")
    page.get_by_role("button", name="A table of combinations").click()
    table = page.get_by_label("Persona, arc and topic, one combination a line")
    lines = [
        "persona\tarc\ttopic",
        "anxious_planner\tfear_to_confidence\troth_ira_conversion",
        "Marcus Chen\tfear_to_joy\troth_ira_conversion",
        "Marcus Chen\tfear_to_confidence",
    ]
    table.fill("\n".join(lines))
    faults = page.get_by_role("list", name="Faults")
    faults.get_by_text('Line 3: There is no arc "fear_to_joy".').wait_for()
    faults.get_by_text("Line 4: Expected a persona, an arc and a topic").wait_for()
    expect(page.get_by_role("button", name=re.compile("^Write 1"))).to_be_disabled()
    lines[2:] = ["Marcus Chen\tfear_to_confidence\troth_ira_conversion"]
    table.fill("\n".join(lines))
    expect(faults).to_have_count(0)
    page.get_by_role("button", name="Write 2").click()
    assert combinations(system, job_of(page)) == [
        ("anxious_planner", "fear_to_confidence", "roth_ira_conversion"),
        ("overwhelmed_avoider", "fear_to_confidence", "roth_ira_conversion"),
    ]


def test_a_prompt_is_read_before_anything_is_paid(
    signed_in: SignedIn, system: Installation
) -> None:
    chosen = {
        "persona_id": "anxious_planner",
        "emotional_arc_id": "fear_to_confidence",
        "training_topic_id": "roth_ira_conversion",
    }
    sent = system.client.post("/api/templates/preview", chosen)
    page = signed_in.open(
        address(
            personas=["anxious_planner"],
            arcs=["fear_to_confidence"],
            topics=["roth_ira_conversion"],
        )
    )
    page.get_by_role("button", name="Read a prompt").click()
    dialog = page.get_by_role("dialog", name="What Claude is sent")
    expect(dialog.get_by_label("What Claude would be sent")).to_have_text(
        sent["prompt"], use_inner_text=False
    )
    expect(dialog.get_by_label("System prompt")).to_have_text(sent["system_prompt"])
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_what_does_not_fit_is_a_warning_and_what_is_missing_prevents_the_order(
    signed_in: SignedIn, system: Installation
) -> None:
    arcs = system.client.get("/api/scaffolding/emotional-arcs", {})["emotional_arcs"]
    system_fields = {"id", "version", "origin", "created_at", "updated_at"}
    copy = {name: value for name, value in arcs[0].items() if name not in system_fields}
    copy |= {"arc_key": "without_template", "name": "No template"}
    copy["suitable_topics"] = ["roth_ira_conversion"]
    system.client.post("/api/scaffolding/emotional-arcs", copy)
    page = signed_in.open(
        address(
            personas=["anxious_planner"],
            arcs=["fear_to_confidence", "without_template"],
            topics=["esg_investing"],
        )
    )
    page.get_by_text("1 thing is missing, so it cannot be ordered:").wait_for()
    page.get_by_text("No active template serves the emotional arc 'without_template'").wait_for()
    expect(page.get_by_role("button", name="Write 1")).to_be_disabled()
    page.locator("summary").click()
    page.get_by_text("is not meant for the topic").first.wait_for()


def test_gaps_of_the_coverage_become_exactly_the_missing_combinations(
    signed_in: SignedIn, system: Installation
) -> None:
    arc, topic = "guilt_to_permission", "long_term_care"
    written = {"personas": "all", "emotional_arcs": [arc], "training_topics": [topic]}
    system.follow(system.create_batch(name="Some", selection=written))
    page = signed_in.open("/coverage")
    page.get_by_label("Which arcs").select_option(arc)
    personas = active_keys(system, "personas", "personas", "persona_key")
    topics = active_keys(system, "training-topics", "training_topics", "topic_key")
    missing = sorted((persona, arc, one) for persona in personas for one in topics if one != topic)
    page.get_by_role("link", name=f"Fill {len(missing)} gaps").click()
    page.get_by_role("button", name=f"Write {len(missing)}").click()
    assert combinations(system, job_of(page)) == missing


def test_gaps_of_another_domain_are_filled_with_its_records(
    signed_in: SignedIn, system: Installation
) -> None:
    page = signed_in.open("/coverage")
    page.get_by_label("Domain").select_option(label="Nursing handover")
    page.get_by_label("Which personas").select_option("agency_nurse")
    page.get_by_label("Which arcs").select_option("distress_to_support")
    page.get_by_role("link", name=re.compile(r"^Fill \d+ gaps")).click()
    page.get_by_role("button", name=re.compile(r"^Write \d+$")).click()
    written = combinations(system, job_of(page))
    assert {(persona, arc) for persona, arc, _ in written} == {
        ("agency_nurse", "distress_to_support")
    }


def test_a_cell_of_the_coverage_opens_its_conversations(
    signed_in: SignedIn, system: Installation
) -> None:
    selection = {
        "personas": ["pragmatic_optimist"],
        "emotional_arcs": ["frustration_to_relief"],
        "training_topics": ["estate_planning_basics"],
    }
    job_id = system.create_batch(name="Cell", selection=selection)
    system.follow(job_id)
    (item,) = system.items(job_id)
    conversation = f"/api/conversations/{item['conversation_id']}"
    system.client.patch(f"{conversation}/status", {"status": "approved"})
    page = signed_in.open("/coverage?show=approved")
    page.get_by_role(
        "link", name=re.compile("^David Chen, Frustration.*Estate.*: 1 written, 1 approved")
    ).click()
    expect(page.get_by_role("table", name="Conversations").locator("tbody tr")).to_have_count(1)
    page.get_by_role("cell", name="estate planning basics").wait_for()


def test_waiting_items_are_planned_and_no_gaps(signed_in: SignedIn, system: Installation) -> None:
    arc = "shame_to_acceptance"
    selection = {"personas": "all", "emotional_arcs": [arc], "training_topics": "all"}
    job_id = system.create_batch(name="Waiting", selection=selection, concurrentProcessing=1)
    system.client.patch(f"/api/conversations/batch/{job_id}", {"action": "pause"})
    page = signed_in.open(f"/coverage?arc={arc}&show=planned")
    page.get_by_role("region", name="Coverage of personas, arcs and topics").wait_for()
    planned = len(system.items(job_id, status="queued"))
    assert planned > 0
    expect(page.get_by_title("0 written, 0 approved, 1 planned")).to_have_count(planned)
    expect(page.get_by_role("link", name=re.compile("^Fill"))).to_have_count(0)


@pytest.mark.parametrize(
    "path",
    [
        "/batches/new",
        address(personas="all", arcs="all", topics=["roth_ira_conversion", "esg_investing"]),
        address(gaps=True),
        "/coverage",
    ],
)
def test_every_page_is_accessible_and_fits(signed_in: SignedIn, axe_source: str, path: str) -> None:
    page = signed_in.open(path)
    page.get_by_role("heading", level=1).wait_for()
    assert faults_in_every_look(page, axe_source) == []
