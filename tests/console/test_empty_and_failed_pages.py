"""What pages say while there is nothing to show, and when it cannot be loaded."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn

pytestmark = pytest.mark.slow

NEXT_STEPS = {
    "/batches": ("No batch yet", "New batch"),
    "/conversations": ("No conversation yet", "New batch"),
    "/conversations/duplicates": ("No two have the same text", "List"),
    "/generation-log": ("No call yet", "New batch"),
    "/generation-log/failures": ("Nothing has failed", "All calls"),
    "/training-files": ("No training file yet", "Choose conversations"),
    "/datasets": ("No dataset yet", "Approved conversations"),
    "/training/jobs": ("No training yet", "New training"),
    "/training/new": ("No dataset is ready", "Go to the datasets"),
    "/models": ("No model yet", "New training"),
    "/notifications": ("Nothing yet", "Go to the datasets"),
}
"""The heading of a page without content, and the link that leads on."""


@pytest.mark.parametrize("path", NEXT_STEPS)
def test_a_page_without_content_says_what_to_do_next(
    signed_in: SignedIn, axe_source: str, path: str
) -> None:
    heading, link = NEXT_STEPS[path]
    page = signed_in.open(path)
    page.get_by_role("heading", name=heading).wait_for()
    expect(page.get_by_role("main").get_by_role("link", name=link).first).to_be_visible()
    assert faults_in_every_look(page, axe_source) == []


def fail(route: Route) -> None:
    route.fulfill(status=503, json={"detail": "The store is busy; try again.", "code": "busy"})


@pytest.mark.parametrize("path", [*NEXT_STEPS, "/costs", "/coverage", "/scaffolding/personas"])
def test_what_cannot_be_loaded_is_said_and_tried_again(signed_in: SignedIn, path: str) -> None:
    page = signed_in.page
    page.route(re.compile("/api/(?!notifications.*limit=8)"), fail)
    signed_in.open(path)
    failed = page.get_by_role("main").get_by_role("alert").first
    failed.get_by_text("The store is busy; try again.").wait_for()
    again = failed.get_by_role("button", name="Try again")
    page.unroute_all()
    again.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_text("The store is busy; try again.")).to_have_count(0)
    # The browser tells of the failed requests; nothing else is wrong with the page.
    signed_in.faults = [one for one in signed_in.faults if "status of 503" not in one]
