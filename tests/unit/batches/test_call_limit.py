"""How a worker's calls in flight follow what Claude refuses."""

from __future__ import annotations

import asyncio

import pytest

from brightrun.batches.call_limit import MAX_HELD_WAIT_S, MAX_REFUSALS, CallLimit, refusal_delay_s
from brightrun.core.errors import ClaudeCallError

REFUSED = ClaudeCallError(
    "rate_limit", "Refused.", status=429, retryable=True, overloaded=True, retry_after_s=0.01
)
FAILED = ClaudeCallError("server_error", "Failed.", status=500, retryable=True)


def limit(most: int = 20, *, seconds_left: float = 890.0, is_open: bool = True) -> CallLimit:
    return CallLimit(most, seconds_left=lambda: seconds_left, is_open=lambda: is_open)


def played(
    calls: CallLimit,
    *,
    together: int,
    error: ClaudeCallError | None = None,
    near_limit: bool = False,
) -> None:
    """So many calls in flight together, which all end the same way."""

    async def one(all_begun: asyncio.Barrier) -> None:
        try:
            async with calls.call() as call:
                await all_begun.wait()
                call.near_limit = near_limit
                if error is not None:
                    raise error
        except ClaudeCallError:
            return

    async def all_of_them() -> None:
        barrier = asyncio.Barrier(together)
        await asyncio.gather(*(one(barrier) for _ in range(together)))

    asyncio.run(all_of_them())


def test_calls_that_were_in_flight_together_lower_the_limit_once() -> None:
    calls = limit()
    played(calls, together=20, error=REFUSED)
    assert calls.limit == 16
    played(calls, together=16, error=REFUSED)
    assert calls.limit == 12


def test_a_failure_that_is_no_refusal_leaves_the_limit() -> None:
    calls = limit()
    played(calls, together=20, error=FAILED)
    assert calls.limit == 20


def test_answers_raise_the_limit_again_but_not_above_what_the_job_allows() -> None:
    calls = limit()
    played(calls, together=20, error=REFUSED)
    for _ in range(3):
        played(calls, together=10)
    assert 18 <= calls.limit <= 20
    for _ in range(20):
        played(calls, together=10)
    assert calls.limit == 20


def test_answers_do_not_raise_the_limit_while_little_is_left_of_the_accounts_rate() -> None:
    calls = limit()
    played(calls, together=20, error=REFUSED)
    played(calls, together=16, near_limit=True)
    assert calls.limit == 16
    played(calls, together=16)
    assert calls.limit == 17


def test_a_share_replaces_the_limit_and_what_answers_may_raise_it_to() -> None:
    calls = limit()
    asyncio.run(calls.take_share(4, 6))
    assert (calls.limit, calls.most, calls.changed.is_set()) == (4, 6, True)
    for _ in range(5):
        played(calls, together=4)
    assert calls.limit == 6
    asyncio.run(calls.take_share(0, 0))
    assert (calls.limit, calls.most) == (1, 1)


def test_a_larger_share_lets_a_waiting_call_begin() -> None:
    calls = limit(1)

    async def one(order: list[str]) -> None:
        async with calls.call():
            order.append("begun")
            while len(order) < 2:
                await asyncio.sleep(0)

    async def two() -> list[str]:
        order: list[str] = []
        tasks = [asyncio.create_task(one(order)) for _ in range(2)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == ["begun"]
        await calls.take_share(2, 2)
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(two()) == ["begun"] * 2


def test_however_often_claude_refuses_one_call_stays_allowed() -> None:
    calls = limit(3)
    for _ in range(30):
        played(calls, together=1, error=REFUSED)
    assert calls.limit == 1


def test_no_more_calls_are_in_flight_than_the_limit_allows() -> None:
    calls = limit(2)
    begun: list[int] = []

    async def one(number: int, go_on: asyncio.Event) -> None:
        async with calls.call():
            begun.append(number)
            await go_on.wait()

    async def three() -> None:
        go_on = asyncio.Event()
        tasks = [asyncio.create_task(one(number, go_on)) for number in range(3)]
        while len(begun) < 2:
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == [0, 1]
        go_on.set()
        await asyncio.gather(*tasks)

    asyncio.run(three())
    assert begun == [0, 1, 2]


def waited(calls: CallLimit, error: ClaudeCallError = REFUSED, refusals: int = 1) -> bool:
    return asyncio.run(calls.wait_to_repeat(error, refusals))


def after(seconds: float) -> ClaudeCallError:
    return ClaudeCallError(
        "rate_limit", "Refused.", retryable=True, overloaded=True, retry_after_s=seconds
    )


def test_a_refused_call_waits_and_is_repeated() -> None:
    calls = limit()
    assert waited(calls)
    assert calls.waiting == 0
    assert calls.changed.is_set()


@pytest.mark.parametrize(
    ("calls", "error", "refusals"),
    [
        (limit(), FAILED, 1),
        (limit(), REFUSED, MAX_REFUSALS),
        (limit(), after(MAX_HELD_WAIT_S + 1), 1),
        (limit(seconds_left=225.0), after(1.0), 1),
        (limit(is_open=False), REFUSED, 1),
    ],
    ids=["no refusal", "too often", "too long", "no time", "paused meanwhile"],
)
def test_an_item_is_queued_again_where_waiting_is_no_use(
    calls: CallLimit, error: ClaudeCallError, refusals: int
) -> None:
    assert not waited(calls, error, refusals)


def test_a_call_is_repeated_no_earlier_than_claude_asked() -> None:
    delays = [refusal_delay_s(1, 2.0) for _ in range(200)]
    assert 2.0 <= min(delays) <= max(delays) <= 2.2


def test_without_a_retry_after_the_wait_doubles_up_to_eight_seconds() -> None:
    for refusals, most in ((1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (8, 8.0)):
        delays = [refusal_delay_s(refusals, None) for _ in range(200)]
        assert most / 2 <= min(delays) <= max(delays) <= most
