"""What training costs while it runs and when it has ended."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from brightrun.catalog.gpu_instances import Billing
from brightrun.core.timestamps import iso
from brightrun.training.costs.model import cost_of, cost_record, cost_so_far, estimated_completion
from tests.builders import START
from tests.fakes.training_jobs import a_training_job

HOUR = timedelta(hours=1)
RUNNING = a_training_job(status="running", started_at=iso(START), progress=50.0)


def test_all_instances_are_billed_by_the_second_at_the_agreed_price() -> None:
    assert cost_of(Billing("ml.p4d.24xlarge", 1, 8, 36.0, "2026-11-01"), 100) == 1.0


def test_a_short_run_on_a_cpu_is_not_free() -> None:
    assert cost_of(Billing("ml.m5.2xlarge", 1, 0, 0.461, "2026-11-01"), 20) == 0.0026


def test_waiting_in_the_queue_costs_nothing() -> None:
    assert cost_so_far(a_training_job(), START + HOUR) == 0.0


def test_a_running_job_costs_by_the_time_it_has_been_billed() -> None:
    assert cost_so_far(RUNNING, START + HOUR) == 6.0


def test_a_clock_that_lags_behind_sagemakers_gives_no_negative_cost() -> None:
    assert cost_so_far(RUNNING, START - HOUR) == 0.0


def test_a_cancelled_job_costs_until_its_bill_is_closed() -> None:
    stopping = dataclasses.replace(RUNNING, status="cancelled", stage="stopping")
    assert cost_so_far(stopping, START + HOUR) == 6.0
    closed = dataclasses.replace(stopping, settled=True, final_cost=6.5)
    assert cost_so_far(closed, START + 5 * HOUR) == 6.5


def test_a_job_that_is_half_done_takes_as_long_again() -> None:
    assert estimated_completion(RUNNING, START + HOUR) == iso(START + 2 * HOUR)


def test_a_job_that_has_not_started_has_no_estimated_completion() -> None:
    for job in (a_training_job(), dataclasses.replace(RUNNING, progress=0.0)):
        assert estimated_completion(job, START + HOUR) is None


def test_a_record_states_the_billed_time_and_instances() -> None:
    job = dataclasses.replace(RUNNING, status="failed", final_cost=6.0, billed_seconds=3600)
    record = cost_record(job, START + HOUR)
    assert (record.amount, record.billing_period) == (6.0, "2026-11-21")
    assert record.record_id == f"{iso(START + HOUR)}~{job.job_id}"
    assert record.details["instance_type"] == "ml.p5.4xlarge"
    assert (record.details["duration_hours"], record.details["status"]) == (1.0, "failed")
