from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message

from local.claude_simulator import ClaudeSimulator

from .conftest import Post, SteppedClock
from .requests import SONNET, TEXT, closed_object, conversation_body, json_format, message_body

NO_THINKING = {"type": "between_tools"}


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def test_a_structured_call_through_the_sdk_returns_a_conversation(client: Anthropic) -> None:
    message = client.messages.create(**conversation_body())
    assert message.id.startswith("msg_sim_")
    assert message.stop_reason == "end_turn"
    assert json.loads(text_of(message))["turns"][0]["role"] == "user"


def test_the_async_client_gets_the_same_text(simulator: ClaudeSimulator, client: Anthropic) -> None:
    async def ask() -> Message:
        async with AsyncAnthropic(base_url=simulator.url, api_key="k", max_retries=0) as sdk:
            answer: Message = await sdk.messages.create(**conversation_body(), timeout=10)
            return answer

    assert text_of(asyncio.run(ask())) == text_of(client.messages.create(**conversation_body()))


def test_a_streamed_message_equals_the_whole_one(client: Anthropic) -> None:
    whole = client.messages.create(**conversation_body())
    with client.messages.stream(**conversation_body()) as stream:
        streamed = stream.get_final_message()
    assert text_of(streamed) == text_of(whole)
    assert streamed.stop_reason == "end_turn"
    assert streamed.usage.output_tokens == whole.usage.output_tokens
    assert [block.type for block in streamed.content] == ["thinking", "text"]


def test_a_stream_arrives_in_the_order_of_the_api(client: Anthropic) -> None:
    kinds: list[str] = []
    for event in client.messages.create(**message_body(thinking=NO_THINKING), stream=True):
        kinds.append(event.type)
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_thinking_is_omitted_by_default_and_summarized_on_request(client: Anthropic) -> None:
    summarized = {"type": "adaptive", "display": "summarized"}
    silent = client.messages.create(**conversation_body()).content[0]
    spoken = client.messages.create(**conversation_body(thinking=summarized)).content[0]
    assert (silent.type, spoken.type) == ("thinking", "thinking")
    assert silent.thinking == ""
    assert spoken.thinking != ""


def test_thinking_tokens_are_part_of_the_output_and_grow_with_effort(client: Anthropic) -> None:
    def usage(**fields: Any) -> tuple[int, int]:
        numbers = client.messages.create(**conversation_body(**fields)).usage
        assert numbers.output_tokens_details is not None
        return numbers.output_tokens, numbers.output_tokens_details.thinking_tokens

    schema = conversation_body()["output_config"]
    visible, none = usage(thinking=NO_THINKING)
    low_total, low = usage(output_config={**schema, "effort": "low"})
    high_total, high = usage(output_config={**schema, "effort": "high"})
    assert none == 0 < low < high
    assert (low_total - low, high_total - high) == (visible, visible)


def test_max_tokens_cuts_the_answer(client: Anthropic) -> None:
    whole = text_of(client.messages.create(**conversation_body()))
    message = client.messages.create(**conversation_body(max_tokens=200))
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 200
    assert 0 < len(text_of(message)) < len(whole)
    assert whole.startswith(text_of(message))


def test_a_stop_sequence_ends_the_answer_before_itself(client: Anthropic) -> None:
    message = client.messages.create(**conversation_body(stop_sequences=['"turns"']))
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", '"turns"')
    assert '"turns"' not in text_of(message)


def test_a_call_without_a_schema_says_that_it_is_simulated(client: Anthropic) -> None:
    assert "imulat" in text_of(client.messages.create(**message_body()))


def test_newer_models_count_thirty_percent_more_tokens(client: Anthropic) -> None:
    def count(model: str) -> int:
        messages = message_body("word " * 1000)["messages"]
        return client.messages.count_tokens(model=model, messages=messages).input_tokens

    assert count("claude-haiku-4-5") == 1250
    assert count(SONNET) == 1625


def test_a_token_count_equals_the_input_of_the_call(client: Anthropic) -> None:
    body = conversation_body(system="You write conversations.")
    usage = client.messages.create(**body).usage
    counted = {name: value for name, value in body.items() if name != "max_tokens"}
    assert client.messages.count_tokens(**counted).input_tokens == usage.input_tokens


def test_a_token_count_refuses_what_only_a_call_takes(post: Post) -> None:
    response = post(message_body(), path="/v1/messages/count_tokens")
    assert response.status_code == 400
    assert "max_tokens: Extra inputs" in response.json()["error"]["message"]


def cached_body(characters: int, ttl: str = "5m") -> dict[str, Any]:
    control = {"type": "ephemeral", "ttl": ttl}
    block = {"type": "text", "text": "a" * characters, "cache_control": control}
    return message_body(system=[block])


def test_a_cached_prefix_is_written_once_and_then_read(client: Anthropic) -> None:
    first = client.messages.create(**cached_body(4000)).usage
    second = client.messages.create(**cached_body(4000)).usage
    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (1300, 0)
    assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, 1300)
    assert first.input_tokens == second.input_tokens == 2
    assert first.cache_creation is not None
    assert first.cache_creation.ephemeral_5m_input_tokens == 1300


@pytest.mark.parametrize(("ttl", "minutes"), [("5m", 5), ("1h", 60)])
def test_a_cached_prefix_lives_as_long_as_it_was_asked_to(
    client: Anthropic, clock: SteppedClock, ttl: str, minutes: int
) -> None:
    client.messages.create(**cached_body(4000, ttl))
    clock.now += timedelta(minutes=minutes)
    usage = client.messages.create(**cached_body(4000, ttl)).usage
    assert usage.cache_read_input_tokens == 0
    assert usage.cache_creation_input_tokens == 1300


def test_a_prefix_below_the_minimum_is_silently_not_cached(client: Anthropic) -> None:
    for _ in range(2):
        usage = client.messages.create(**cached_body(400)).usage
        assert (usage.cache_creation_input_tokens, usage.cache_read_input_tokens) == (0, 0)


def test_top_level_cache_control_caches_the_whole_prompt(client: Anthropic) -> None:
    body = message_body("a" * 4000, cache_control={"type": "ephemeral"})
    assert client.messages.create(**body).usage.cache_creation_input_tokens == 1300
    assert client.messages.create(**body).usage.cache_read_input_tokens == 1300


def test_rate_limit_headers_count_down_within_the_minute(
    client: Anthropic, clock: SteppedClock
) -> None:
    def remaining() -> int:
        raw = client.messages.with_raw_response.create(**message_body())
        assert raw.headers["anthropic-ratelimit-requests-limit"] == "4000"
        assert raw.headers["anthropic-ratelimit-output-tokens-reset"].endswith("Z")
        return int(raw.headers["anthropic-ratelimit-requests-remaining"])

    assert (remaining(), remaining()) == (3999, 3998)
    clock.now += timedelta(minutes=1)
    assert remaining() == 3999


def test_another_schema_gets_a_conforming_example(client: Anthropic) -> None:
    schema = closed_object({"title": TEXT, "kind": {"enum": ["a", "b"]}})
    body = message_body(output_config=json_format(schema))
    answers = {text_of(client.messages.create(**body)) for _ in range(2)}
    assert len(answers) == 1
    value = json.loads(answers.pop())
    assert isinstance(value["title"], str)
    assert value["kind"] in ("a", "b")
