"""The client of Claude: the SDK against the simulator, over real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from brightrun.claude.client import anthropic_claude
from brightrun.claude.model import CONNECT_TIMEOUT_S, CacheLifetime, Completion, Prompt
from brightrun.conversations.model import RAW_CONVERSATION_SCHEMA, read_conversation
from brightrun.core.errors import ClaudeCallError, UnusableModelError
from brightrun.core.limits import CALL_TIMEOUT_S
from local.claude_simulator import ClaudeSimulator
from tests.builders import a_plan

TODAY = date(2026, 11, 21)


@pytest.fixture
def simulator() -> Iterator[ClaudeSimulator]:
    with ClaudeSimulator() as running:
        yield running


def a_prompt() -> Prompt:
    planned = a_plan(1)
    return planned.plan.prompt(planned.items[0])


def ask(simulator: ClaudeSimulator, *, model: str = "claude-sonnet-5-5") -> Completion:
    async def call() -> Completion:
        claude = anthropic_claude(
            "simulator", model, TODAY, base_url=simulator.url, api_key="not-needed", workspace_id=""
        )
        try:
            return await claude.complete(a_prompt(), schema=RAW_CONVERSATION_SCHEMA)
        finally:
            await claude.close()

    return asyncio.run(call())


def failure(simulator: ClaudeSimulator, fault: dict[str, Any]) -> ClaudeCallError:
    simulator.script(fault)
    with pytest.raises(ClaudeCallError) as failed:
        ask(simulator)
    return failed.value


def test_a_completion_passes_the_checks_and_carries_its_token_counts(
    simulator: ClaudeSimulator,
) -> None:
    completion = ask(simulator)
    conversation = read_conversation(completion.text, min_exchanges=3, max_exchanges=5)
    assert conversation.turns[0].emotional_context.primary_emotion == "confusion"
    assert completion.stop_reason == "end_turn"
    assert completion.input_tokens > 500
    assert completion.output_tokens > 500
    assert completion.simulated


def test_the_strict_api_accepts_the_request_for_every_known_model(
    simulator: ClaudeSimulator,
) -> None:
    for model in ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-5"):
        assert ask(simulator, model=model).model == model


@pytest.mark.parametrize(
    ("fault", "reason", "retryable", "overloaded", "fatal"),
    [
        ({"status": 400}, "invalid_request", False, False, False),
        ({"status": 401}, "authentication", False, False, True),
        ({"status": 402}, "billing", False, False, True),
        ({"status": 403}, "permission", False, False, True),
        ({"status": 404}, "model_not_found", False, False, True),
        ({"status": 413}, "request_too_large", False, False, False),
        ({"status": 429}, "rate_limit", True, True, False),
        ({"status": 500}, "server_error", True, False, False),
        ({"status": 503}, "server_error", True, False, False),
        ({"status": 504}, "timeout", True, False, False),
        ({"status": 529}, "overloaded", True, True, False),
        ({"reset": True}, "network_error", True, False, False),
        (
            {"status": 429, "error_code": "enforced_spend_limit_reached"},
            "spend_limit",
            False,
            False,
            True,
        ),
        ({"status": 500, "should_retry": False}, "server_error", False, False, False),
    ],
)
def test_each_failure_is_classified(
    simulator: ClaudeSimulator,
    fault: dict[str, Any],
    reason: str,
    retryable: bool,
    overloaded: bool,
    fatal: bool,
) -> None:
    error = failure(simulator, fault)
    assert error.reason == reason
    assert (error.retryable, error.overloaded, error.fatal) == (retryable, overloaded, fatal)


def test_a_connection_that_fails_is_told_with_its_host_and_a_remedy(
    simulator: ClaudeSimulator,
) -> None:
    error = failure(simulator, {"reset": True})
    assert error.message.startswith("The connection to Claude at 127.0.0.1 failed (")
    assert error.message.endswith("): check the network and the address.")


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_what_only_a_person_can_change_is_told_with_host_cause_and_remedy(
    simulator: ClaudeSimulator, status: int
) -> None:
    told, _, remedy = failure(simulator, {"status": status}).message.partition("). ")
    assert told.startswith(f"Claude at 127.0.0.1 answered {status} (")
    assert remedy.split()[0] in ("Store", "Settle", "Give", "Choose")


def test_an_address_that_swallows_connections_is_told_long_before_a_call_ends() -> None:
    assert CONNECT_TIMEOUT_S < 10 < CALL_TIMEOUT_S
    claude = anthropic_claude(
        "direct", "claude-sonnet-5-5", TODAY, base_url="", api_key="key", workspace_id=""
    )
    timeout: Any = claude._client.timeout
    assert (timeout.connect, timeout.read) == (CONNECT_TIMEOUT_S, CALL_TIMEOUT_S)


def test_the_sdk_does_not_retry_by_itself(simulator: ClaudeSimulator) -> None:
    failure(simulator, {"status": 529})
    assert simulator.journal.calls("messages") == 1


def test_the_retry_after_of_the_server_is_kept(simulator: ClaudeSimulator) -> None:
    assert failure(simulator, {"status": 429, "retry_after": 2.5}).retry_after_s == 2.5
    assert failure(simulator, {"status": 529}).retry_after_s is None


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("86400", 3600),
        ("1e300", 3600),
        ("inf", 3600),
        ("0", 0),
        ("-5", None),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_a_wait_that_the_server_asks_for_is_bounded(
    simulator: ClaudeSimulator, asked: str, kept: float | None
) -> None:
    assert failure(simulator, {"status": 429, "retry_after": asked}).retry_after_s == kept


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("html", "it is no JSON object"),
        ("null", "it is no JSON object"),
        ("broken_json", "it is no JSON object"),
        ("no_usage", "its usage is missing or unusable"),
    ],
)
def test_an_answer_that_is_no_message_is_a_named_failure(
    simulator: ClaudeSimulator, kind: str, why: str
) -> None:
    error = failure(simulator, {"malformed": kind})
    assert error.reason == "unreadable_answer"
    assert error.message.endswith(f"the answer is not a message: {why}.")
    assert (error.retryable, error.maybe_billed) == (True, True)
    assert (error.overloaded, error.fatal) == (False, False)


@pytest.mark.parametrize(
    ("fault", "stop_reason"),
    [
        ({"truncate": 0.5}, "max_tokens"),
        ({"refusal": "frontier_llm"}, "refusal"),
        ({"stop_reason": "model_context_window_exceeded"}, "model_context_window_exceeded"),
    ],
)
def test_an_incomplete_completion_keeps_its_stop_reason_and_token_counts(
    simulator: ClaudeSimulator, fault: dict[str, Any], stop_reason: str
) -> None:
    simulator.script(fault)
    completion = ask(simulator)
    assert completion.stop_reason == stop_reason
    assert completion.input_tokens > 0
    if "refusal" in fault:
        assert completion.refusal_category == "frontier_llm"


GUIDE = "Write short sentences. Ask before you advise.\n" * 150
"""6,900 characters: 2,243 tokens of a current model."""


def cached_asks(
    simulator: ClaudeSimulator, *prompts: Prompt, model: str = "claude-sonnet-5-5"
) -> list[Completion]:
    """The answers to prompts, one after the other."""

    async def call() -> list[Completion]:
        claude = anthropic_claude(
            "simulator", model, TODAY, base_url=simulator.url, api_key="k", workspace_id=""
        )
        try:
            return [
                await claude.complete(prompt, schema=RAW_CONVERSATION_SCHEMA) for prompt in prompts
            ]
        finally:
            await claude.close()

    return asyncio.run(call())


def guided(question: str, lifetime: CacheLifetime | None = "5m") -> Prompt:
    return Prompt(
        "You are brief.",
        GUIDE + question,
        "template",
        1,
        shared_characters=len(GUIDE),
        cached_for=lifetime,
    )


def test_a_marked_start_is_written_once_and_then_read(simulator: ClaudeSimulator) -> None:
    plain, first, second = cached_asks(
        simulator, guided("One?", None), guided("Two?"), guided("Six?", "1h")
    )
    assert (plain.marked, plain.cache_read_tokens, plain.cache_write_tokens) == (False, 0, 0)
    shared = first.cache_write_tokens
    assert (first.marked, first.cache_read_tokens, first.cache_write_1h_tokens) == (True, 0, 0)
    assert (second.cache_read_tokens, second.cache_write_tokens) == (shared, 0)
    assert shared > 2_243
    for answer in (first, second):
        assert answer.input_tokens + shared == plain.input_tokens


def test_what_is_kept_for_an_hour_is_counted_as_such(simulator: ClaudeSimulator) -> None:
    (answer,) = cached_asks(simulator, guided("One?", "1h"))
    assert answer.cache_write_1h_tokens == answer.cache_write_tokens > 2_243


def test_a_system_prompt_is_cached_where_nothing_else_is_shared(
    simulator: ClaudeSimulator,
) -> None:
    prompts = [
        Prompt(GUIDE, question, "template", 1, shared_characters=0, cached_for="5m")
        for question in ("One?", "Two?")
    ]
    first, second = cached_asks(simulator, *prompts)
    assert first.cache_write_tokens == second.cache_read_tokens > 2_243


def test_a_start_below_the_models_minimum_costs_nothing(simulator: ClaudeSimulator) -> None:
    answers = cached_asks(simulator, guided("A?"), guided("B?"), model="claude-haiku-4-5")
    assert [one.cache_read_tokens + one.cache_write_tokens for one in answers] == [0, 0]
    assert all(one.marked for one in answers)


@pytest.mark.parametrize("user", ["", "Ask.", GUIDE, f"{GUIDE}Ask.", f" \n{GUIDE}", f"{GUIDE}\n "])
@pytest.mark.parametrize("shared", [0, 2, 1_000, 10_000])
def test_a_marked_prompt_has_the_same_text_and_no_blank_block(user: str, shared: int) -> None:
    prompt = Prompt("Be brief.", user, "t", 1, shared_characters=shared, cached_for="5m")
    claude = anthropic_claude(
        "direct", "claude-sonnet-5-5", TODAY, base_url="", api_key="key", workspace_id=""
    )
    plain = claude._request(replace(prompt, cached_for=None), {})
    request = claude._request(prompt, {})
    blocks = [
        block
        for content in (request["system"], request["messages"][0]["content"])
        if isinstance(content, list)
        for block in content
    ]
    assert [texts(part) for part in (request["system"], request["messages"][0]["content"])] == [
        plain["system"],
        plain["messages"][0]["content"],
    ]
    assert sum("cache_control" in block for block in blocks) == 1
    assert all(block["text"].strip() for block in blocks)


def texts(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content)


def test_a_mark_does_not_change_what_an_answer_is_reused_for() -> None:
    claude = anthropic_claude(
        "direct", "claude-sonnet-5-5", TODAY, base_url="", api_key="key", workspace_id=""
    )
    marked, plain = guided("One?"), guided("One?", None)
    assert claude.fingerprint(marked, schema={}) == claude.fingerprint(plain, schema={})
    assert claude.fingerprint(guided("Two?"), schema={}) != claude.fingerprint(plain, schema={})


def test_no_failure_message_contains_the_prompt(simulator: ClaudeSimulator) -> None:
    error = failure(simulator, {"status": 400})
    assert a_prompt().user[:40] not in error.message
    assert "Marcus" not in error.message


def test_a_retired_model_is_refused_before_a_call() -> None:
    with pytest.raises(UnusableModelError):
        anthropic_claude(
            "direct",
            "claude-sonnet-4-5-20250929",
            date(2026, 12, 1),
            base_url="",
            api_key="k",
            workspace_id="",
        )
