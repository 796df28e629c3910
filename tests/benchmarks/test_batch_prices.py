"""The arithmetic of what a batch costs on AWS."""

from __future__ import annotations

import pytest

from benchmarks import batch_prices as prices
from benchmarks.batch_counts import Usage
from benchmarks.batch_prices import Deployment, Line, Load, Workflow, bill, economy_bill, total

WORKER = Deployment(memory_mb=512, timeout_s=900, lease_s=60)
NOTHING = Usage(0, 0, 0, 0, 0, 0)
ONE_RUN = Workflow(transitions=13, events=48, invocations=4)


def line(lines: list[Line], name: str) -> Line:
    return next(each for each in lines if each.name == name)


def test_workers_are_billed_for_waves_of_calls_and_half_a_call_at_the_end_of_a_turn() -> None:
    load = Load(items=100, workers=2, calls=25, call_s=50)
    assert load.turns(WORKER) == 1
    assert load.billed_s(WORKER) == 2 * (2 * 50 + 25 + prices.START_S)


def test_a_long_job_takes_another_turn_of_every_worker() -> None:
    # 675 of the 900 seconds are for claiming: a call may take 180, and storing its answer 45.
    load = Load(items=14 * 75, workers=3, calls=25, call_s=50)
    assert load.turns(WORKER) == 2
    lines = bill(load, NOTHING, ONE_RUN, WORKER)
    assert line(lines, "Step Functions, transitions").quantity == 13 + 2 * 3
    assert line(lines, "Lambda, requests").quantity == 4 + 3 + 1


def test_in_the_economy_lane_a_worker_is_billed_for_its_share_of_a_processor() -> None:
    lines = economy_bill(NOTHING, ONE_RUN, WORKER, cpu_s=10)
    seconds = 10 * 1769 / 512
    assert line(lines, "Lambda, GB-s of workers").quantity == pytest.approx(seconds / 2)
    assert line(lines, "Step Functions, transitions").quantity == 13


def test_half_the_memory_costs_half() -> None:
    half = Deployment(memory_mb=256, timeout_s=900, lease_s=60)
    name = "Lambda, GB-s of waiting workers"
    whole, saved = (line(bill(Load(), NOTHING, ONE_RUN, each), name) for each in (WORKER, half))
    assert saved.dollars == pytest.approx(whole.dollars / 2)


def test_a_lease_is_renewed_three_times_in_its_length() -> None:
    assert Load(items=1000, call_s=60).renewals(WORKER) == 3000


def test_a_bill_is_the_sum_of_its_lines_at_list_prices() -> None:
    usage = Usage(writes=0, reads=0, write_units=1e6, read_units=1e6, puts=1000, gets=1000)
    lines = bill(Load(), usage, ONE_RUN, WORKER)
    assert line(lines, "DynamoDB, write units").dollars == pytest.approx(0.625)
    assert line(lines, "DynamoDB, read units").dollars == pytest.approx(0.125)
    assert line(lines, "S3, PUT").dollars == pytest.approx(0.005)
    assert line(lines, "S3, GET").dollars == pytest.approx(0.0004)
    assert total(lines) == pytest.approx(sum(each.quantity * each.price for each in lines))
