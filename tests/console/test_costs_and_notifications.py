"""What was spent, and what was notified, in the browser."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from brightrun.aws.dynamodb import to_wire
from tests.console.accessibility import faults_in_every_look, violations
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation
from tests.e2e.datasets import ready_dataset, write_rows

pytestmark = pytest.mark.slow

ONE = {
    "personas": ["anxious_planner"],
    "emotional_arcs": ["confusion_to_clarity"],
    "training_topics": ["roth_ira_conversion"],
}
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(scope="module")
def batch(system: Installation) -> str:
    """A simulated batch, which costs what nobody pays."""
    job_id = system.create_batch(name="=1+1", selection=ONE)
    system.follow(job_id)
    return job_id


@pytest.fixture
def dataset(system: Installation, tmp_path: Path) -> dict[str, Any]:
    """A dataset that has just become ready, of which its owner is notified."""
    return ready_dataset(system, write_rows(tmp_path / "rows.jsonl"))


@pytest.fixture(scope="module")
def training_cost(system: Installation, batch: str) -> float:
    """The record of a training that was paid for yesterday; on a laptop all others are free."""
    body = {"name": "Never uploaded", "file_name": "rows.jsonl", "file_size": 1}
    owner = system.client.post("/api/datasets", body)["data"]["dataset"]["user_id"]
    recorded = YESTERDAY.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {
        "owner_id": owner,
        "record_id": f"{recorded}~paid",
        "job_id": "paid",
        "cost_type": "training_compute",
        "amount": 12.5,
        "billing_period": recorded[:10],
        "recorded_at": recorded,
        "details": {"job_name": "Paid, yesterday", "instance_type": "ml.p5.4xlarge"},
    }
    table = system.output("ExportBrightRunDataCostRecordsTableName")
    system.aws("dynamodb").put_item(TableName=table, Item=to_wire(record))
    return 12.5


def test_costs_are_shown_by_day_kind_and_job(
    signed_in: SignedIn, training_cost: float, batch: str
) -> None:
    page = signed_in.open("/costs")
    day = f"{YESTERDAY:%b} {YESTERDAY.day}, {YESTERDAY.year}"
    page.get_by_role("img", name=f"Cost by day. {day}: $12.50").wait_for()
    row = page.get_by_role("row").filter(has_text="Paid, yesterday")
    expect(row).to_contain_text("ml.p5.4xlarge")
    simulated = page.get_by_role("row").filter(has_text="=1+1")
    expect(simulated).to_contain_text("simulated")
    simulated.get_by_role("link").click()
    page.wait_for_url(f"**/batches/{batch}")


def test_the_period_is_held_in_the_address(
    signed_in: SignedIn, training_cost: float, batch: str
) -> None:
    page = signed_in.open("/costs")
    page.get_by_label("Period").select_option("own")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    page.get_by_label("From").fill(today)
    page.get_by_text("Paid, yesterday").wait_for(state="detached")
    page.reload()
    page.get_by_role("link", name="=1+1").wait_for()
    expect(page.get_by_label("From")).to_have_value(today)
    assert page.get_by_text("Paid, yesterday").count() == 0


def test_costs_are_saved_as_a_table(
    signed_in: SignedIn, system: Installation, training_cost: float, batch: str
) -> None:
    page = signed_in.open("/costs")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    with Path(download.value.path()).open(newline="") as file:
        rows = list(csv.DictReader(file))
    records = system.client.get("/api/costs", {})["data"]["records"]
    assert [float(row["amount_usd"]) for row in rows] == [one["amount"] for one in records]
    # What a spreadsheet would compute stays text.
    assert {row["job"] for row in rows} == {"'=1+1", "Paid, yesterday"}


def test_following_a_notification_reads_it(
    signed_in: SignedIn, system: Installation, dataset: dict[str, Any]
) -> None:
    unread = system.client.get("/api/notifications", {"limit": 1})["data"]["unread_count"]
    page = signed_in.open("/models")
    page.get_by_role("button", name=f"Notifications, {unread} unread").click()
    panel = page.get_by_role("dialog", name="Notifications")
    with page.expect_response(lambda one: one.url.endswith("/read")):
        panel.get_by_role("link").filter(has_text="Dataset Ready").first.click()
    page.wait_for_url(f"**/datasets/{dataset['id']}")
    expect(panel).to_be_hidden()
    left = system.client.get("/api/notifications", {"limit": 1})["data"]
    assert left["unread_count"] == unread - 1


def test_all_notifications_are_marked_read(
    signed_in: SignedIn, system: Installation, dataset: dict[str, Any]
) -> None:
    page = signed_in.open("/notifications")
    page.get_by_label("Unread only").check()
    page.get_by_role("main").get_by_text("Dataset Ready").first.wait_for()
    page.get_by_role("button", name="Mark all read").click()
    page.get_by_text("Nothing is unread").wait_for()
    page.get_by_role("button", name="Notifications", exact=True).wait_for()
    assert system.client.get("/api/notifications", {})["data"]["unread_count"] == 0


def test_the_bell_opens_and_closes_by_keyboard(
    signed_in: SignedIn, system: Installation, dataset: dict[str, Any], axe_source: str
) -> None:
    page = signed_in.open("/batches")
    bell = page.get_by_role("button", name="Notifications")
    bell.press("Enter")
    panel = page.get_by_role("dialog", name="Notifications")
    panel.get_by_text("Dataset Ready").first.wait_for()
    assert violations(page, axe_source) == []
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert bell.evaluate("one => one === document.activeElement")


@pytest.mark.parametrize("path", ["/costs", "/notifications"])
def test_every_page_is_accessible_and_fits(
    signed_in: SignedIn, training_cost: float, dataset: dict[str, Any], axe_source: str, path: str
) -> None:
    page = signed_in.open(path)
    page.get_by_role("heading", level=1).wait_for()
    assert faults_in_every_look(page, axe_source) == []
