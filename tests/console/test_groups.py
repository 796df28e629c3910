"""What the console offers to somebody whose groups do not allow everything."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
NEEDS_WRITERS = re.compile("This needs the group writers or trainers; yours: reviewers")


@pytest.fixture(scope="module")
def reviewer(browser: Browser, system: Installation) -> Iterator[SignedIn]:
    with system.as_user("reviewer@example.com", "reviewers") as installation:
        context = browser.new_context(locale="en-US")
        context.set_default_timeout(15_000)
        page = SignedIn(context.new_page(), installation)
        yield page
        context.close()
        assert page.faults == []


@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("/datasets", "Import a training file"),
        ("/scaffolding/personas/new", "Create"),
    ],
)
def test_what_only_writers_may_do_cannot_be_pressed_and_says_why(
    reviewer: SignedIn, path: str, button: str
) -> None:
    found = reviewer.open(path).get_by_role("button", name=button)
    expect(found).to_be_disabled()
    expect(found).to_have_attribute("title", NEEDS_WRITERS)


def test_a_reviewer_is_told_instead_of_choosing_a_file_that_is_refused(reviewer: SignedIn) -> None:
    page = reviewer.open("/datasets")
    expect(page.get_by_text(NEEDS_WRITERS)).to_be_visible()
    expect(page.locator("input[type=file]")).to_have_count(0)


def test_whoever_is_in_no_group_may_do_all_of_it(signed_in: SignedIn) -> None:
    page = signed_in.open("/datasets")
    expect(page.get_by_role("button", name="Import a training file")).to_be_enabled()
    expect(page.locator("input[type=file]")).to_have_count(1)
