"""The economy lane over real HTTP on the deployed templates: sent, followed, repaired, cheaper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow


def test_a_batch_in_the_economy_lane_is_written_with_one_repair(system: Installation) -> None:
    system.script_claude({"truncate": 0.5, "when": {"endpoint": "batch_items"}, "times": 1})
    job_id = system.create_batch(lane="economy")
    status = system.follow(job_id)
    assert (status.status, status.successful, status.failed) == ("completed", 12, 0)
    sent = [line for line in system.log(job_id) if " sent: " in line]
    assert [line.rpartition(" sent: ")[2] for line in sent] == [
        "12 conversations at half the price",
        "1 conversations at half the price",
    ]
    paid = system.paid_answers(job_id)
    assert len(paid) == 13
    summary = system.client.get(f"/api/conversations/batch/{job_id}/status", {})
    assert summary["lane"] == "economy"
    tokens = summary["input_tokens"] * 2 + summary["output_tokens"] * 10
    assert summary["cost_usd"] == pytest.approx(tokens / 2e6, rel=1e-4)


def test_a_batch_with_a_deadline_is_done_in_time_in_the_lane_that_its_plan_named(
    system: Installation,
) -> None:
    done_by = (datetime.now(UTC) + timedelta(hours=6)).isoformat()
    job_id = system.create_batch(doneBy=done_by)
    assert system.follow(job_id).status == "completed"
    job = system.client.get(f"/api/batch-jobs/{job_id}", {})["job"]
    assert (job["lane"], job["wasOnTime"], job["concurrentProcessing"]) == ("economy", True, 2)
    assert f"in time for {job['doneBy']}" in job["statusLine"]
    assert len(system.paid_answers(job_id)) == 12
