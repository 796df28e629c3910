"""Message Batches: the SDK against the strict simulator over HTTP, and the fake that stands in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import pytest

from brightrun.claude.client import anthropic_claude
from brightrun.claude.message_batch_client import BatchedResult, MessageBatches
from brightrun.claude.model import Completion, Prompt
from brightrun.claude.registry import claude_model, cost_micro_usd
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA, read_conversation
from brightrun.core.errors import ClaudeCallError
from local.claude_simulator import ClaudeSimulator
from tests.builders import a_plan
from tests.fakes.message_batches import InMemoryMessageBatches

TODAY = date(2026, 11, 21)
T = TypeVar("T")


@pytest.fixture
def simulator() -> Iterator[ClaudeSimulator]:
    with ClaudeSimulator() as running:
        yield running


def a_prompt() -> Prompt:
    planned = a_plan(1)
    return planned.plan.prompt(planned.items[0])


def with_batches(
    simulator: ClaudeSimulator, use: Callable[[MessageBatches], Awaitable[T]], provider: str = ""
) -> T:
    async def run() -> T:
        claude = anthropic_claude(
            provider or "simulator",
            "claude-sonnet-5-5",
            TODAY,
            base_url=simulator.url,
            api_key="not-needed",
            workspace_id="",
        )
        try:
            return await use(claude.message_batches)
        finally:
            await claude.close()

    return asyncio.run(run())


async def read_all(batches: MessageBatches, *names: str) -> dict[str, BatchedResult]:
    sent = await batches.create(
        [batches.request(name, a_prompt(), RAW_CONVERSATION_SCHEMA) for name in names]
    )
    assert sent.requests == len(names)
    found = await batches.find(sent.id)
    assert found is not None and found.ended
    return {result.custom_id: result async for result in batches.results(sent.id)}


def test_every_request_of_a_batch_has_a_result_at_half_the_price(
    simulator: ClaudeSimulator,
) -> None:
    results = with_batches(simulator, lambda batches: read_all(batches, "one", "two", "three"))
    assert results.keys() == {"one", "two", "three"}
    answer = results["two"].answer
    assert isinstance(answer, Completion)
    read_conversation(answer.text, min_exchanges=3, max_exchanges=5)
    assert (answer.batched, answer.simulated) == (True, True)
    model = claude_model("claude-sonnet-5-5", TODAY)
    full = answer.input_tokens * 2 + answer.output_tokens * 10
    assert cost_micro_usd(model, answer, TODAY) == round(full / 2)


def test_what_a_batch_caches_for_an_hour_is_at_half_the_price_too(
    simulator: ClaudeSimulator,
) -> None:
    guide = "Write short sentences. Ask before you advise.\n" * 150
    marked = Prompt("", f"{guide}Ask.", "t", 1, shared_characters=len(guide), cached_for="1h")

    async def ask(batches: MessageBatches) -> list[Completion]:
        requests = [batches.request(name, marked, RAW_CONVERSATION_SCHEMA) for name in "ab"]
        sent = await batches.create(requests)
        await batches.find(sent.id)
        results = [result.answer async for result in batches.results(sent.id)]
        return [answer for answer in results if isinstance(answer, Completion)]

    written, read = sorted(with_batches(simulator, ask), key=lambda one: one.cache_read_tokens)
    shared = written.cache_write_1h_tokens
    assert shared == written.cache_write_tokens == read.cache_read_tokens > 2_000
    model = claude_model("claude-sonnet-5-5", TODAY)
    cost = written.input_tokens * 2 + shared * 4 + written.output_tokens * 10
    assert cost_micro_usd(model, written, TODAY) == round(cost / 2)
    cheap = read.input_tokens * 2 + shared * 0.1 + read.output_tokens * 10
    assert cost_micro_usd(model, read, TODAY) == round(cheap / 2)


@pytest.mark.parametrize(
    ("fault", "reason", "retryable"),
    [
        ({"status": 400}, "invalid_request", False),
        ({"status": 500}, "api", True),
        ({"status": 529}, "overloaded", True),
        ({"expired": True}, "expired", True),
    ],
)
def test_a_request_without_an_answer_says_why(
    simulator: ClaudeSimulator, fault: dict[str, object], reason: str, retryable: bool
) -> None:
    simulator.script({**fault, "when": {"endpoint": "batch_items", "custom_id": "bad"}})
    results = with_batches(simulator, lambda batches: read_all(batches, "good", "bad"))
    error = results["bad"].answer
    assert isinstance(error, ClaudeCallError)
    assert (error.reason, error.retryable) == (reason, retryable)
    assert isinstance(results["good"].answer, Completion)


def test_a_truncated_and_a_refused_answer_are_completions_with_their_stop_reason(
    simulator: ClaudeSimulator,
) -> None:
    simulator.script({"truncate": 0.5, "when": {"endpoint": "batch_items", "custom_id": "cut"}})
    simulator.script(
        {"refusal": "general_harms", "when": {"endpoint": "batch_items", "custom_id": "no"}}
    )
    results = with_batches(simulator, lambda batches: read_all(batches, "cut", "no"))
    stops = {name: getattr(result.answer, "stop_reason", "") for name, result in results.items()}
    assert stops == {"cut": "max_tokens", "no": "refusal"}


def test_a_cancelled_batch_ends_and_its_requests_are_canceled(simulator: ClaudeSimulator) -> None:
    async def use(batches: MessageBatches) -> tuple[bool, str]:
        sent = await batches.create([batches.request("one", a_prompt(), RAW_CONVERSATION_SCHEMA)])
        await batches.cancel(sent.id)
        found = await batches.find(sent.id)
        results = [result async for result in batches.results(sent.id)]
        assert isinstance(results[0].answer, ClaudeCallError)
        return bool(found and found.ended), results[0].answer.reason

    assert with_batches(simulator, use) == (True, "canceled")


def test_batches_are_listed_newest_first_and_only_from_a_moment_on(
    simulator: ClaudeSimulator,
) -> None:
    async def use(batches: MessageBatches) -> None:
        request = batches.request("one", a_prompt(), RAW_CONVERSATION_SCHEMA)
        ids = [(await batches.create([request])).id for _ in range(3)]
        hour = timedelta(hours=1)
        now = datetime.now(UTC)
        assert [one.id async for one in batches.created_since(now - hour)] == ids[::-1]
        assert [one async for one in batches.created_since(now + hour)] == []

    with_batches(simulator, use)


def test_a_batch_that_is_not_there_is_none(simulator: ClaudeSimulator) -> None:
    assert with_batches(simulator, lambda batches: batches.find("msgbatch_none")) is None


def test_a_lost_connection_leaves_open_whether_there_is_a_batch(
    simulator: ClaudeSimulator,
) -> None:
    simulator.script({"reset": True, "when": {"endpoint": "batches"}})

    async def use(batches: MessageBatches) -> object:
        return await batches.create([batches.request("one", a_prompt(), RAW_CONVERSATION_SCHEMA)])

    with pytest.raises(ClaudeCallError) as lost:
        with_batches(simulator, use)
    assert (lost.value.status, lost.value.retryable) == (0, True)


def test_bedrock_has_none_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    claude = anthropic_claude(
        "bedrock", "claude-sonnet-5-5", TODAY, base_url="", api_key="", workspace_id=""
    )
    with pytest.raises(ClaudeCallError, match="realtime lane") as refused:
        _ = claude.message_batches
    assert refused.value.fatal


def test_the_fake_shows_results_of_ended_batches_only_and_each_request_once() -> None:
    clock = [datetime(2026, 11, 21, tzinfo=UTC)]
    fake = InMemoryMessageBatches(lambda _: ClaudeCallError("api", "no"), lambda: clock[0])

    async def use() -> list[str]:
        sent = await fake.create([fake.request(n, a_prompt(), {}) for n in ("one", "two")])
        assert (sent.requests, sent.ended) == (2, False)
        clock[0] += timedelta(hours=1)
        assert await fake.find("msgbatch_none") is None
        return [result.custom_id async for result in fake.results(sent.id)]

    assert sorted(asyncio.run(use())) == ["one", "two"]
