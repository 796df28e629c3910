"""How soon a page shows something, and whether it jumps while it loads, in the browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
FIRST_CONTENTFUL_PAINT_MS = 1_500
MOST_TRIES = 5
MOST_LAYOUT_SHIFT = 0.1
"""What the Web Vitals call good; the score counts what moves without having been asked to."""
SELECTION = {
    "personas": "all",
    "emotional_arcs": ["fear_to_confidence"],
    "training_topics": ["roth_ira_conversion", "student_loan_payoff"],
}
MEASURE = """() => {
  window.shifts = [];
  new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      const moved = entry.sources.map(one => one.node?.outerHTML?.slice(0, 120) ?? "");
      window.shifts.push({ value: entry.value, moved });
    }
  }).observe({ type: "layout-shift", buffered: true });
}"""
PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@pytest.fixture(scope="module")
def batch(system: Installation) -> str:
    job_id = system.create_batch(name="Fast", selection=SELECTION)
    system.follow(job_id)
    return job_id


@pytest.fixture(scope="module")
def conversation(system: Installation, batch: str) -> str:
    listed = system.client.get("/api/conversations", {"batch_job_id": batch, "limit": 1})
    return str(listed["conversations"][0]["id"])


def fastest(measure: Callable[[], float]) -> list[float]:
    """Measure until it is fast enough, five times at most: other work only ever adds time."""
    times: list[float] = []
    while len(times) < MOST_TRIES and (not times or times[-1] >= FIRST_CONTENTFUL_PAINT_MS):
        times.append(measure())
    return times


def painted_ms(page: Page, url: str) -> float:
    page.goto(url)
    page.wait_for_function(f"() => ({PAINT}) !== null")
    paint: float = page.evaluate(PAINT)
    return paint


@pytest.mark.parametrize("path", ["/batches", "/conversations", "/coverage", "/training/new"])
def test_something_is_shown_soon(
    signed_in: SignedIn, batch: str, path: str, record_property: Any
) -> None:
    times = fastest(lambda: painted_ms(signed_in.page, f"{signed_in.url}{path}"))
    record_property("first contentful paint, ms", times)
    assert min(times) < FIRST_CONTENTFUL_PAINT_MS, times


def test_the_first_visit_shows_something_soon(browser: Browser, system: Installation) -> None:
    def first_visit() -> float:
        with browser.new_context() as context:
            return painted_ms(context.new_page(), system.console_url)

    times = fastest(first_visit)
    assert min(times) < FIRST_CONTENTFUL_PAINT_MS, times


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize(
    "path",
    [
        "/batches",
        "/batches/{batch}",
        "/batches/new",
        "/coverage",
        "/conversations",
        "/conversations/{conversation}",
        "/generation-log",
        "/scaffolding/personas",
        "/training-files",
        "/datasets",
        "/training/jobs",
        "/models",
        "/costs",
        "/notifications",
    ],
)
def test_nothing_jumps_while_a_page_loads(
    signed_in: SignedIn, batch: str, conversation: str, path: str, width: int
) -> None:
    page = signed_in.page
    page.set_viewport_size({"width": width, "height": 860})
    page.add_init_script(f"({MEASURE})()")
    signed_in.open(path.format(batch=batch, conversation=conversation))
    page.get_by_role("heading", level=1).wait_for()
    page.wait_for_load_state("networkidle")
    shifts = page.evaluate("window.shifts")
    assert sum(one["value"] for one in shifts) < MOST_LAYOUT_SHIFT, shifts
