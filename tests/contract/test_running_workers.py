"""What every store of running workers promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest

from brightrun.aws.running_workers import (
    COUNTED_FOR,
    LEARNED_FOR,
    DynamoRunningWorkers,
    RunningWorker,
    RunningWorkers,
)
from tests.aws import Aws
from tests.builders import OWNER, STRANGER
from tests.fakes.running_workers import InMemoryRunningWorkers

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
MODEL = "claude-sonnet-5-5"
SECOND = timedelta(seconds=1)


def worker(token: str, owner_id: str = OWNER, *, model: str = MODEL) -> RunningWorker:
    return RunningWorker(model, owner_id, token, most=25, limit=12.625)


@pytest.fixture(params=["memory", "dynamodb"])
def running(request: pytest.FixtureRequest) -> RunningWorkers:
    if request.param == "memory":
        return InMemoryRunningWorkers()
    return DynamoRunningWorkers(request.getfixturevalue("aws").dynamodb, "IdempotencyTable")


def test_a_worker_that_reports_sees_all_that_run(running: RunningWorkers) -> None:
    alone = running.report(worker("a"), NOW)
    assert (list(alone.workers), alone.limit) == ([worker("a")], None)
    both = running.report(worker("b", STRANGER), NOW)
    assert sorted(both.workers, key=lambda one: one.token) == [worker("a"), worker("b", STRANGER)]


def test_workers_of_another_model_are_not_counted(running: RunningWorkers) -> None:
    running.report(worker("a", model="claude-haiku-4-5"), NOW)
    running.learn("claude-haiku-4-5", 0, NOW, refused=True, otherwise=10)
    seen = running.report(worker("b"), NOW)
    assert (list(seen.workers), seen.limit) == ([worker("b")], None)


def test_a_worker_that_has_left_or_died_is_not_counted(running: RunningWorkers) -> None:
    running.report(worker("left"), NOW)
    running.report(worker("died"), NOW)
    running.leave(worker("left"))
    tokens = [one.token for one in running.report(worker("a"), NOW + COUNTED_FOR - SECOND).workers]
    assert sorted(tokens) == ["a", "died"]
    tokens = [one.token for one in running.report(worker("a"), NOW + COUNTED_FOR).workers]
    assert tokens == ["a"]


def test_a_limit_is_learned_from_a_refusal_alone(running: RunningWorkers) -> None:
    assert running.learn(MODEL, 2.5, NOW, refused=False, otherwise=40) is None
    assert running.learn(MODEL, -5, NOW, refused=True, otherwise=40) == 40
    assert running.learn(MODEL, 2.125, NOW, refused=False, otherwise=1) == 42.125
    assert running.learn(MODEL, -8, NOW, refused=True, otherwise=1) == 34.125
    assert running.report(worker("a"), NOW).limit == 34.125


def test_a_limit_is_forgotten_some_time_after_the_last_refusal(running: RunningWorkers) -> None:
    running.learn(MODEL, 0, NOW, refused=True, otherwise=40)
    later = NOW + LEARNED_FOR - SECOND
    assert running.learn(MODEL, 1, later, refused=False, otherwise=1) == 41
    assert running.report(worker("a"), NOW + LEARNED_FOR).limit is None
    assert running.learn(MODEL, -5, NOW + LEARNED_FOR, refused=True, otherwise=30) == 30


def test_changes_of_many_workers_at_once_all_count(running: RunningWorkers) -> None:
    running.learn(MODEL, 0, NOW, refused=True, otherwise=100)
    barrier = Barrier(8)

    def change(by: float) -> None:
        barrier.wait()
        running.learn(MODEL, by, NOW, refused=by < 0, otherwise=1)

    threads = [Thread(target=change, args=(by,)) for by in [-5.5, 0.25] * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert running.report(worker("a"), NOW).limit == 79


def test_one_who_learns_it_second_changes_what_the_first_has_learned(aws: Aws) -> None:
    running = DynamoRunningWorkers(aws.dynamodb, "IdempotencyTable")
    first = DynamoRunningWorkers(aws.dynamodb, "IdempotencyTable")
    requests = 0

    def before(**_: object) -> None:
        nonlocal requests
        requests += 1
        if requests == 2:  # The second learner has seen that nothing is known yet.
            first.learn(MODEL, 0, NOW, refused=True, otherwise=45)

    aws.dynamodb.meta.events.register("before-call.dynamodb.UpdateItem", before)
    assert running.learn(MODEL, -5, NOW, refused=True, otherwise=45) == 40
