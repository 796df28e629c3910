"""A reviewer's way through the conversations of a batch, in the browser."""

from __future__ import annotations

import re

import httpx2
import pytest
from playwright.sync_api import expect

from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
SIXTY = {
    "personas": "all",
    "emotional_arcs": [
        "confusion_to_clarity",
        "fear_to_confidence",
        "guilt_to_permission",
        "hostility_to_boundary",
    ],
    "training_topics": [
        "roth_ira_conversion",
        "student_loan_payoff",
        "esg_investing",
        "long_term_care",
        "ignored_401k",
    ],
}


@pytest.fixture(scope="module")
def batch(system: Installation) -> str:
    job_id = system.create_batch(name="Sixty", selection=SIXTY)
    system.follow(job_id)
    return job_id


def counts(system: Installation) -> dict[str, int]:
    by_status: dict[str, int] = system.client.get("/api/conversations/stats", {})["by_status"]
    return by_status


def test_sixty_conversations_are_reviewed_without_the_mouse(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    page = signed_in.open(f"/conversations?batch={batch}&status=pending_review")
    page.get_by_role("link", name="Review these").press("Enter")
    for number in range(1, 61):
        page.get_by_test_id("place").get_by_text(f"{number} of 60", exact=True).wait_for()
        name = page.get_by_role("heading", level=1).inner_text()
        if number % 10:
            page.keyboard.press("a")
            page.get_by_text(f"approved: {name}").first.wait_for()
        else:
            page.keyboard.press("r")
            page.get_by_label("Reason", exact=True).fill("Wrong facts")
            page.keyboard.press("Control+Enter")
            page.get_by_text(f"rejected: {name}").first.wait_for()
    assert counts(system) == {"approved": 54, "rejected": 6}


def test_the_last_decision_is_taken_back_with_one_key(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    page = signed_in.open(f"/conversations?batch={batch}")
    page.get_by_role("link", name="Review these").click()
    page.get_by_test_id("place").get_by_text("1 of 60").wait_for()
    first = page.url
    path = f"/api/conversations/{first.partition('?')[0].rpartition('/')[2]}/status"
    before = system.client.get(path)["status"]
    page.keyboard.press("r")
    page.get_by_label("Reason", exact=True).fill("By mistake")
    page.keyboard.press("Control+Enter")
    page.get_by_test_id("place").get_by_text("2 of 60").wait_for()
    assert system.client.get(path)["status"] == "rejected"
    page.keyboard.press("u")
    page.get_by_text("Undone:").wait_for()
    assert page.url == first
    assert system.client.get(path)["status"] == before


def test_a_turn_is_edited_beside_what_it_was(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    listed = system.client.get("/api/conversations", {"batch_job_id": batch, "limit": 1})
    conversation_id = listed["conversations"][0]["id"]
    page = signed_in.open(f"/conversations/{conversation_id}")
    page.get_by_role("list", name="Turns").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("e")
    text = page.get_by_label("New text")
    text.fill(f"{text.input_value()} And that is that.")
    page.locator("ins").get_by_text("And that is that.").wait_for()
    page.get_by_label("Reason", exact=True).fill("A clearer end")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Turn 2 was changed.").wait_for()
    page.get_by_role("list", name="Turns").get_by_text("And that is that.").wait_for()


def test_an_edit_does_not_overwrite_somebody_elses(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    listed = system.client.get("/api/conversations", {"batch_job_id": batch, "limit": 2})
    conversation_id = listed["conversations"][1]["id"]
    page = signed_in.open(f"/conversations/{conversation_id}")
    page.get_by_role("list", name="Turns").wait_for()
    page.keyboard.press("e")
    page.get_by_label("New text").fill("My own words.")
    page.get_by_label("Reason", exact=True).fill("Mine")
    body = {"turn_number": 1, "content": "Words of another.", "reason": "Theirs"}
    system.client.patch(f"/api/conversations/{conversation_id}", body)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_text("changed since it was read").wait_for()
    assert page.get_by_label("New text").input_value() == "My own words."
    turns = system.client.get(f"/api/conversations/{conversation_id}", {"includeTurns": "true"})
    assert turns["turns"][0]["content"] == "Words of another."
    # The browser tells of the refused request; nothing else is wrong with the page.
    signed_in.faults = [one for one in signed_in.faults if "status of 4" not in one]


def test_the_table_is_sorted_by_its_heads(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    page = signed_in.open(f"/conversations?batch={batch}")
    table = page.get_by_role("table", name="Conversations")
    written, score = (table.get_by_role("columnheader", name=name) for name in ("Written", "Score"))
    expect(written).to_have_attribute("aria-sort", "descending")
    score.get_by_role("button").click()
    expect(score).to_have_attribute("aria-sort", "descending")
    expect(written).not_to_have_attribute("aria-sort", re.compile("."))
    score.get_by_role("button").click()
    expect(score).to_have_attribute("aria-sort", "ascending")
    page.wait_for_url("**sort=quality_score&asc=true**")
    lowest = system.client.get(
        "/api/conversations",
        {"batch_job_id": batch, "limit": 1, "sortBy": "quality_score", "sortDirection": "asc"},
    )["conversations"][0]
    page.reload()
    expect(table.locator("tbody tr").first).to_contain_text(lowest["conversation_name"])
    expect(score).to_have_attribute("aria-sort", "ascending")


def test_a_decision_about_all_matches_is_previewed_and_taken_back(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    before = counts(system)
    page = signed_in.open(f"/conversations?batch={batch}")
    page.get_by_label("Select all on this page").check()
    page.get_by_role("button", name="Select all 60 matches").click()
    page.get_by_role("button", name="Approve").click()
    dialog = page.get_by_role("dialog", name="Approve 60 conversations?")
    approved = before.get("approved", 0)
    dialog.get_by_text(f"{60 - approved} conversations will be approved").wait_for()
    dialog.get_by_role("button", name="Approve").click()
    page.get_by_text(f"{60 - approved} conversations approved.").wait_for()
    assert counts(system) == {"approved": 60}
    page.get_by_role("button", name="Undo").click()
    page.get_by_text(f"Undone: {60 - approved} conversations.").wait_for()
    assert counts(system) == before


@pytest.fixture(scope="module")
def copied(system: Installation, batch: str) -> str:
    """A conversation of which there is a copy with another last turn."""
    listed = system.client.get("/api/conversations", {"batch_job_id": batch, "limit": 1})
    original = listed["conversations"][0]["id"]
    link = system.client.get(f"/api/conversations/{original}/download")["download_url"]
    document = httpx2.get(link).raise_for_status().json()
    document["turns"][-1]["content"] = "Only the copy ends like this."
    system.client.post("/api/conversations", {"document": document})
    return str(original)


def test_duplicates_are_compared_side_by_side_and_one_is_rejected(
    signed_in: SignedIn, system: Installation, batch: str, copied: str
) -> None:
    page = signed_in.open("/conversations")
    page.get_by_role("link", name="Find duplicates").click()
    rows = page.get_by_role("table", name="Duplicates").locator("tbody tr")
    expect(rows).to_have_count(1)
    rows.get_by_role("button", name=re.compile("^Compare")).click()
    copys = page.locator("bdi").filter(has_text="Only the copy ends like this.")
    expect(copys).to_have_count(1)
    expect(copys.locator("mark").first).to_be_visible()
    page.get_by_text(", the same in both").first.wait_for()
    before = counts(system)
    page.get_by_role("button", name=re.compile("^Reject")).last.click()
    page.get_by_text("rejected", exact=True).wait_for()
    assert counts(system)["rejected"] == before.get("rejected", 0) + 1


def test_hostile_text_is_shown_as_letters(
    signed_in: SignedIn, system: Installation, batch: str
) -> None:
    hostile = "<script>document.title='owned'</script><img src=x onerror=alert(1)> $x^2$ =1+1"
    listed = system.client.get("/api/conversations", {"batch_job_id": batch, "limit": 3})
    conversation_id = listed["conversations"][2]["id"]
    body = {"turn_number": 1, "content": hostile, "reason": "hostile"}
    system.client.patch(f"/api/conversations/{conversation_id}", body)
    page = signed_in.open(f"/conversations/{conversation_id}")
    page.get_by_text(hostile, exact=True).wait_for()
    assert "owned" not in page.title()
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize(
    "path",
    [
        "/batches",
        "/batches/{batch}",
        "/conversations",
        "/conversations/{conversation}",
        "/conversations/duplicates?pair={copied}",
    ],
)
def test_every_page_is_accessible_and_fits(  # noqa: PLR0917 - one page, and what it shows
    signed_in: SignedIn, system: Installation, batch: str, copied: str, axe_source: str, path: str
) -> None:
    listed = system.client.get("/api/conversations", {"batch_job_id": batch, "limit": 1})
    conversation = listed["conversations"][0]["id"]
    page = signed_in.open(path.format(batch=batch, conversation=conversation, copied=copied))
    page.get_by_role("heading", level=1).wait_for()
    assert faults_in_every_look(page, axe_source) == []
