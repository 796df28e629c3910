"""Reading calls to Claude and failed generations in the browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
expect.set_options(timeout=15_000)
ONE = {
    "personas": ["anxious_planner"],
    "emotional_arcs": ["fear_to_confidence"],
    "training_topics": ["roth_ira_conversion"],
}
TWO = {**ONE, "personas": ["anxious_planner", "overwhelmed_avoider"]}


@pytest.fixture(scope="module")
def refused(system: Installation) -> str:
    """A batch that Claude's API refused."""
    system.script_claude({"status": 400}, {"status": 400})
    job_id = system.create_batch(name="Refused", selection=TWO, concurrentProcessing=1)
    system.follow(job_id)
    return job_id


@pytest.fixture(scope="module")
def truncated(system: Installation, refused: str) -> str:
    """A batch whose answer broke off, every time that it was asked for."""
    system.script_claude(*[{"truncate": 0.4}] * 3)
    job_id = system.create_batch(name="Truncated", selection=ONE)
    system.follow(job_id)
    system.reset_claude()
    return job_id


def failures(system: Installation, job_id: str) -> list[dict[str, str]]:
    listed = system.client.get("/api/failed-generations", {"run_id": job_id})
    return list(listed["failures"])


def test_failures_are_filtered_by_the_address(
    signed_in: SignedIn, system: Installation, refused: str, truncated: str
) -> None:
    page = signed_in.open(f"/generation-log/failures?batch={refused}")
    rows = page.get_by_role("table", name="Failed generations").locator("tbody tr")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="One batch only").click()
    expect(rows).to_have_count(2 + len(failures(system, truncated)))
    page.get_by_label("Kind of failure").select_option("truncation")
    expect(rows).to_have_count(len(failures(system, truncated)))
    assert "type=truncation" in page.url
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    page.get_by_label("From").fill(tomorrow)
    page.get_by_role("heading", name="Nothing matches").wait_for()
    page.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(2 + len(failures(system, truncated)))


def test_a_report_shows_the_prompt_and_the_answer_that_broke_off(
    signed_in: SignedIn, system: Installation, truncated: str
) -> None:
    failure = failures(system, truncated)[0]
    page = signed_in.open(f"/generation-log/failures?batch={truncated}")
    page.get_by_role("table").get_by_role("link", name=failure["error_message"]).first.click()
    page.get_by_role("heading", level=1, name="Failed: truncation").wait_for()
    expect(page.get_by_label("Prompt", exact=True)).to_contain_text("persona: Jennifer Martinez")
    expect(page.get_by_label("Claude's answer")).not_to_be_empty()
    expect(page.get_by_label("Why it stopped")).not_to_be_empty()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the report").click()
    assert download.value.suggested_filename == f"failed-{failure['id']}.json"


def test_every_call_is_listed_with_totals(
    signed_in: SignedIn, system: Installation, truncated: str
) -> None:
    job_id = system.create_batch(name="Fine", selection=ONE)
    system.follow(job_id)
    calls = system.client.get("/api/generation-logs", {"limit": 100})["logs"]
    cost = system.client.get("/api/generation-logs/stats", {"type": "cost"})
    page = signed_in.open("/generation-log")
    rows = page.get_by_role("table", name="Calls to Claude").locator("tbody tr")
    expect(rows).to_have_count(len(calls))
    figures = page.locator("dl")
    expect(figures).to_contain_text(f"Calls{cost['calls']}")
    expect(figures).to_contain_text(f"{cost['input_tokens']:,}, {cost['output_tokens']:,}")
    rows.get_by_text("failed", exact=True).first.wait_for()
    rows.first.get_by_role("link", name="Open").click()
    page.wait_for_url(re.compile(job_id))


def test_calls_are_filtered_by_the_address(
    signed_in: SignedIn, system: Installation, refused: str, truncated: str
) -> None:
    calls = system.client.get("/api/generation-logs", {"limit": 100})["logs"]
    failed = [call for call in calls if call["status"] == "failed"]
    assert 0 < len(failed) < len(calls)
    page = signed_in.open("/generation-log")
    rows = page.get_by_role("table", name="Calls to Claude").locator("tbody tr")
    expect(rows).to_have_count(len(calls))
    page.get_by_label("Outcome").select_option("failed")
    expect(rows).to_have_count(len(failed))
    assert "status=failed" in page.url
    page.get_by_label("What for").select_option("judgement")
    page.get_by_role("heading", name="Nothing matches").wait_for()
    page.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(len(calls))
    page.goto(f"{signed_in.url}/generation-log?batch={refused}")
    expect(rows).to_have_count(sum(call["run_id"] == refused for call in calls))
    page.get_by_role("button", name="One batch only").click()
    expect(rows).to_have_count(len(calls))


@pytest.mark.parametrize(
    "path",
    ["/generation-log", "/generation-log/failures", "/generation-log/failures/{failure}"],
)
def test_every_page_is_accessible_and_fits(
    signed_in: SignedIn, system: Installation, truncated: str, axe_source: str, path: str
) -> None:
    failure = failures(system, truncated)[0]["id"]
    page = signed_in.open(path.format(failure=failure))
    page.get_by_role("heading", level=1).wait_for()
    assert faults_in_every_look(page, axe_source) == []
