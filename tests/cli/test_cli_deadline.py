"""--done-by: a moment or a duration, the plan that follows from it, and whether it was met."""

from datetime import UTC, datetime, timedelta

import pytest

from cli.batch_plan import BatchOptions
from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import JOB, preview_document, serve_statuses, status_document
from tests.cli.fake_system import FakeSystem, Json

pytestmark = pytest.mark.usefixtures("signed_in")

CREATE = "/api/conversations/generate-batch"
CHOICE = ("batch", "create", "--name", "n", "--persona", "all", "--arc", "all", "--topic", "all")
DEADLINE = {
    "doneBy": "2026-12-01T18:00:00.000Z",
    "switchAt": "2026-12-01T17:40:00.000Z",
    "ends": [
        {
            "lane": "realtime",
            "likely": "2026-12-01T12:02:00.000Z",
            "latest": "2026-12-01T12:03:00.000Z",
        },
        {
            "lane": "economy",
            "likely": "2026-12-01T13:00:00.000Z",
            "latest": "2026-12-03T12:15:00.000Z",
        },
    ],
    "reason": "Economy first, since there is time.",
    "notice": None,
}


def test_a_deadline_is_sent_as_a_moment_instead_of_a_lane(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    before = datetime.now(UTC)
    brightrun(*CHOICE, "--done-by", "6h", "--yes")
    sent = system.sent("POST", CREATE)[0].body
    ahead = datetime.fromisoformat(sent["doneBy"].replace("Z", "+00:00")) - before
    assert "lane" not in sent
    assert timedelta(hours=6, seconds=-1) <= ahead <= timedelta(hours=6, minutes=1)
    assert system.sent("POST", f"{CREATE}/preview")[0].body["doneBy"] == sent["doneBy"]


def test_the_plan_of_a_deadline_says_what_it_expects_and_why(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    preview = preview_document(lane="economy", deadline=DEADLINE)
    system.route("POST", f"{CREATE}/preview", lambda *_: preview)
    shown = " ".join(
        brightrun(*CHOICE, "--done-by", "2026-12-01T18:00Z", typed="n\n").stdout.split()
    )
    assert "done by 2026-12-01 18:00 UTC" in shown
    assert "realtime ends about 2026-12-01 12:02 UTC, at the latest 2026-12-01 12:03 UTC" in shown
    assert "realtime from 2026-12-01 17:40 UTC" in shown
    assert "Economy first, since there is time." in shown


@pytest.mark.parametrize("time", ["2026-12-01T18:00", "soon", "6", "6w", "-1h", ""])
def test_a_deadline_that_is_no_moment_is_refused_before_anything_is_sent(
    brightrun: BrightRun, system: FakeSystem, time: str
) -> None:
    refused = brightrun(*CHOICE, f"--done-by={time}", "--yes")
    assert refused.exit_code == 2
    assert "45m, 6h or 2d" in refused.stderr
    assert system.sent("POST", CREATE) == []


def test_a_batch_is_shown_with_its_deadline_its_lane_and_whether_it_was_met(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    deadline: Json = {
        "done_by": "2026-12-01T18:00:00.000Z",
        "switch_at": "2026-12-01T17:40:00.000Z",
    }
    serve_statuses(
        system, status_document("completed", lane="economy", was_on_time=True, **deadline)
    )
    shown = " ".join(brightrun("batch", "show", JOB).stdout.split())
    assert "lane economy" in shown
    assert "2026-12-01 18:00 UTC; realtime from 2026-12-01 17:40 UTC; done in time" in shown


def test_the_command_that_goes_on_after_a_sample_names_the_same_time() -> None:
    options = BatchOptions(name="n", persona=["p"], arc=["a"], topic=["t"], done_by="2d")
    given = options.from_now().command("--rest-of", "job-1").split("--done-by ")[1]
    ahead = datetime.fromisoformat(given.split()[0].replace("Z", "+00:00")) - datetime.now(UTC)
    assert timedelta(days=1, hours=23) < ahead <= timedelta(days=2)
