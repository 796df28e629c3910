from __future__ import annotations

import asyncio
import json

from anthropic import Anthropic, AsyncAnthropic

from local.claude_simulator import ClaudeSimulator, Journal, fingerprint

from .requests import message_body

MESSAGES = message_body("a secret question")["messages"]


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint([{"role": "user", "content": "x"}]) == fingerprint(
        [{"content": "x", "role": "user"}]
    )
    assert fingerprint([{"role": "user", "content": "x"}]) != fingerprint(
        [{"role": "user", "content": "y"}]
    )


def test_the_journal_tells_how_often_a_conversation_was_paid_for(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    for _ in range(2):
        client.messages.create(**message_body("a secret question"))
    client.messages.create(**message_body("another"))
    assert simulator.journal.paid_for(MESSAGES) == 2
    assert simulator.journal.calls_for(MESSAGES) == 2
    assert simulator.journal.calls("messages") == 3
    snapshot = simulator.journal.snapshot()
    assert (snapshot["answered"], snapshot["answered_more_than_once"]) == (3, 1)


def test_the_journal_holds_no_text(simulator: ClaudeSimulator, client: Anthropic) -> None:
    client.messages.create(**message_body("a secret question"))
    assert "secret" not in json.dumps(simulator.journal.snapshot())


def test_the_journal_knows_the_peak_concurrency() -> None:
    async def ask(url: str) -> None:
        async with AsyncAnthropic(base_url=url, api_key="k", max_retries=0) as sdk:
            await asyncio.gather(*(sdk.messages.create(**message_body()) for _ in range(7)))

    with ClaudeSimulator(latency_seconds=0.3) as simulator:
        asyncio.run(ask(simulator.url))
        assert simulator.journal.peak_in_flight == 7
        assert simulator.journal.snapshot()["in_flight"] == 0


def test_a_journal_forgets_the_least_recent_conversations() -> None:
    journal = Journal(capacity=2)
    for name in ("a", "b", "a", "c"):
        journal.called(name)
    assert set(journal.snapshot()["conversations"]) == {"a", "c"}


def test_a_reset_forgets_everything(simulator: ClaudeSimulator, client: Anthropic) -> None:
    client.messages.create(**message_body("a secret question"))
    simulator.script({"status": 500})
    simulator.reset()
    assert simulator.journal.calls("messages") == 0
    assert simulator.journal.paid_for(MESSAGES) == 0
    assert client.messages.create(**message_body()).stop_reason == "end_turn"
