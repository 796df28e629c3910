"""From conversations to a training file and on to a dataset, in the browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
CONVERSATIONS = 90
"""More than are built at once."""
APPROVED = 12
SELECTION = {
    "personas": "all",
    "emotional_arcs": "all",
    "training_topics": ["roth_ira_conversion", "student_loan_payoff", "esg_investing"],
}


@pytest.fixture(scope="module")
def batch(system: Installation) -> str:
    """Written conversations, some of them approved."""
    job_id = system.create_batch(name="Many", selection=SELECTION, concurrentProcessing=8)
    system.follow(job_id)
    ids = [one["id"] for one in conversations(system, job_id)[:APPROVED]]
    body = {"action": "approve", "conversationIds": ids}
    system.client.post("/api/conversations/bulk-action", body)
    return job_id


def conversations(system: Installation, job_id: str) -> list[dict[str, Any]]:
    query: dict[str, str | int | None] = {"batch_job_id": job_id, "limit": 100}
    listed: list[dict[str, Any]] = system.client.get("/api/conversations", query)["conversations"]
    return listed


def make_file(system: Installation, job_id: str, name: str, count: int = 3) -> str:
    """Make a training file over the API."""
    ids = [one["id"] for one in conversations(system, job_id)[:count]]
    body = {"name": name, "conversation_ids": ids, "eligibility": "approved"}
    return str(system.client.post("/api/training-files", body)["trainingFile"]["id"])


def file_of(system: Installation, page: Page) -> dict[str, Any]:
    """The training file whose page is open."""
    page.wait_for_url("**/training-files/*")
    file_id = page.url.rpartition("/")[2]
    details: dict[str, Any] = system.client.get(f"/api/training-files/{file_id}")
    return details


def test_a_file_of_selected_conversations_leaves_out_what_it_names(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    page = signed_in.open(f"/conversations?batch={batch}&status=approved")
    boxes = page.get_by_role("table").get_by_role("checkbox")
    boxes.nth(1).check()
    boxes.nth(2).check()
    page.get_by_role("button", name="Training file", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("2 of 2 conversations can be in it").wait_for()
    dialog.get_by_label("Name").fill("Two of them")
    dialog.get_by_role("button", name="Make the file").click()
    page.get_by_role("heading", name="Two of them", level=1).wait_for()
    assert file_of(system, page)["trainingFile"]["conversation_count"] == 2
    page.get_by_role("heading", name="Emotional arcs").wait_for()
    page.get_by_role("heading", name="Quality tiers").wait_for()


def test_a_file_of_a_filter_is_built_while_the_page_follows(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    page = signed_in.open(f"/conversations?batch={batch}")
    page.get_by_role("button", name="Training file of these").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(f"{APPROVED} of {CONVERSATIONS} conversations can be in it").wait_for()
    dialog.get_by_text(f"{CONVERSATIONS - APPROVED} not approved").wait_for()
    dialog.get_by_label("Which of them").select_option("enriched")
    dialog.get_by_text(f" of {CONVERSATIONS} conversations can be in it").wait_for()
    dialog.get_by_label("Name").fill("All of them")
    dialog.get_by_role("button", name="Make the file").click()
    page.get_by_text("Version 1, changed").wait_for(timeout=40_000)
    details = file_of(system, page)
    left_out = sum(details["build"]["left_out"].values())
    assert details["trainingFile"]["conversation_count"] + left_out == CONVERSATIONS
    assert details["build"]["status"] == "ready"


def test_conversations_are_added_in_a_further_version(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    make_file(system, batch, "Growing")
    page = signed_in.open(f"/conversations?batch={batch}&status=approved")
    page.get_by_role("button", name="Training file of these").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("File").select_option(label="Add to Growing, as version 2")
    dialog.get_by_text(f"{APPROVED} of {APPROVED}").wait_for()
    dialog.get_by_role("button", name="Add to the file").click()
    page.get_by_text("Left out of version 2").wait_for()
    page.get_by_text("3 in the file already").wait_for()
    details = file_of(system, page)
    assert [one["conversation_count"] for one in details["versions"]] == [3, APPROVED]


def test_each_version_is_downloaded_in_each_format(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    file_id = make_file(system, batch, "Downloaded")
    page = signed_in.open(f"/training-files/{file_id}")
    version = system.client.get(f"/api/training-files/{file_id}")["versions"][0]
    for kind in ("json", "jsonl"):
        with page.expect_download() as download:
            page.get_by_role("button", name=re.compile(rf"as {kind.upper()} \d")).click()
        assert download.value.suggested_filename == f"Downloaded.v1.{kind}"
        assert download.value.path().stat().st_size == version[f"{kind}_file_size"]


def test_a_file_becomes_a_dataset_and_its_problems_show_its_text(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    file_id = make_file(system, batch, "To train on")
    page = signed_in.open(f"/training-files/{file_id}")
    page.get_by_role("button", name="Make a dataset").click()
    page.wait_for_url("**/datasets/*")
    page.get_by_text("A model can be trained on it").wait_for(timeout=30_000)
    page.get_by_role("link", name="from version 1 of its training file").wait_for()
    page.get_by_role("button", name="Show the text of these lines").click()
    page.get_by_role("group").first.locator("summary").click()
    page.locator("details mark").first.wait_for()


def test_the_dialog_of_datasets_lists_what_can_be_imported(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    make_file(system, batch, "Waiting to be imported")
    page = signed_in.open("/datasets")
    page.get_by_role("button", name="Import a training file").click()
    page.get_by_role("button", name="Import Waiting to be imported").click()
    page.get_by_role("heading", name="Waiting to be imported", level=1).wait_for()
    page.get_by_text("A model can be trained on it").wait_for(timeout=30_000)
    page.goto(f"{signed_in.url}/datasets")
    page.get_by_role("button", name="Import a training file").click()
    imported = page.get_by_role("listitem").filter(has_text="Waiting to be imported")
    imported.get_by_text("Imported already").wait_for()


def test_every_page_is_accessible_and_fits(
    signed_in: SignedIn, system: Installation, batch: str, axe_source: str
) -> None:
    file_id = make_file(system, batch, "Accessible")
    for path in ("/training-files", f"/training-files/{file_id}"):
        page = signed_in.open(path)
        page.get_by_role("heading", level=1).wait_for()
        assert faults_in_every_look(page, axe_source) == [], path
    page = signed_in.open(f"/conversations?batch={batch}")
    page.get_by_role("button", name="Training file of these").click()
    page.get_by_text("conversations can be in it").wait_for()
    assert faults_in_every_look(page, axe_source) == []
