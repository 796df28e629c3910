from __future__ import annotations

import asyncio
import json
from typing import Any

from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import Message

from local.claude_simulator import ClaudeSimulator

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


def test_newer_models_count_thirty_percent_more_tokens(client: Anthropic) -> None:
    def count(model: str) -> int:
        message: Message = client.messages.create(**message_body("word " * 1000, model=model))
        return message.usage.input_tokens

    assert count("claude-haiku-4-5") == 1250
    assert count(SONNET) == 1625


def test_a_call_without_a_schema_says_that_it_is_simulated(client: Anthropic) -> None:
    assert "imulat" in text_of(client.messages.create(**message_body()))


def test_another_schema_gets_a_conforming_example(client: Anthropic) -> None:
    schema = closed_object({"title": TEXT, "kind": {"enum": ["a", "b"]}})
    body = message_body(output_config=json_format(schema))
    answers = {text_of(client.messages.create(**body)) for _ in range(2)}
    assert len(answers) == 1
    value = json.loads(answers.pop())
    assert isinstance(value["title"], str)
    assert value["kind"] in ("a", "b")
