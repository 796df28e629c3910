from __future__ import annotations

from typing import Any

import pytest

from .conftest import Post, SteppedClock
from .requests import SONNET, conversation_body, message_body

TOOL = {"name": "save", "input_schema": {"type": "object"}}
OLD_VERSION = {"anthropic-version": "2023-06-01"}
OLD_MODEL = "claude-haiku-4-5"


def refusal(post: Post, body: dict[str, Any], **headers: str) -> str:
    """The message of a 400 answer to `body`."""
    response = post(body, **headers)
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert error["type"] == "invalid_request_error"
    return str(error["message"])


@pytest.mark.parametrize("field", ["model", "max_tokens", "messages"])
def test_a_missing_required_field_is_named(post: Post, field: str) -> None:
    body = message_body()
    del body[field]
    assert refusal(post, body) == f"{field}: Field required"


@pytest.mark.parametrize("model", ["claude-imaginary-9", "claude-sonnet-4-20250514"])
def test_unknown_and_retired_models_are_not_found(post: Post, model: str) -> None:
    response = post(message_body(model=model))
    assert response.status_code == 404
    assert response.json()["error"] == {"type": "not_found_error", "message": f"model: {model}"}


def test_sonnet_4_5_answers_until_the_day_it_retires(post: Post, clock: SteppedClock) -> None:
    body = message_body(model="claude-sonnet-4-5-20250929")
    clock.now = clock.now.replace(month=11, day=29, hour=23, minute=59)
    assert post(body).status_code == 200
    clock.now = clock.now.replace(month=11, day=30, hour=0, minute=0)
    assert post(body).status_code == 404


@pytest.mark.parametrize("parameter", ["temperature", "top_p", "top_k"])
def test_sampling_parameters_are_refused(post: Post, parameter: str) -> None:
    message = refusal(post, {**message_body(), parameter: 1})
    assert message == f"{parameter}: Extra inputs are not permitted"


def test_the_old_api_version_lets_old_models_sample(post: Post) -> None:
    sampled = message_body(temperature=0.7)
    assert post({**sampled, "model": OLD_MODEL}, **OLD_VERSION).status_code == 200
    assert "deprecated for this model" in refusal(post, sampled, **OLD_VERSION)


def test_prefill_is_refused_on_current_models_and_taken_by_old_ones(post: Post) -> None:
    body = message_body()
    body["messages"].append({"role": "assistant", "content": "{"})
    assert "does not support assistant message prefill" in refusal(post, body)
    assert post({**body, "model": OLD_MODEL}).status_code == 200


@pytest.mark.parametrize("kind", ["tool", "any"])
def test_forced_tool_choice_is_refused(post: Post, kind: str) -> None:
    body = message_body(tools=[TOOL], tool_choice={"type": kind, "name": "save"})
    assert "forced tool use" in refusal(post, body)
    assert post({**body, "tool_choice": {"type": "auto"}}).status_code == 200


@pytest.mark.parametrize("kind", ["enabled", "disabled"])
def test_thinking_budgets_and_switched_off_thinking_are_refused(post: Post, kind: str) -> None:
    thinking = {"type": kind, "budget_tokens": 2048}
    assert f"'{kind}' is not supported" in refusal(post, message_body(thinking=thinking))


def test_an_old_model_takes_a_thinking_budget_below_max_tokens(post: Post) -> None:
    thinking = {"type": "enabled", "budget_tokens": 2048}
    body = message_body(model=OLD_MODEL, max_tokens=4096, thinking=thinking)
    assert post(body).status_code == 200
    assert "budget_tokens" in refusal(post, {**body, "max_tokens": 2048})
    forced = {**body, "tools": [TOOL], "tool_choice": {"type": "any"}}
    assert "when tool_choice forces tool use" in refusal(post, forced)


def test_thinking_between_tools_needs_a_moderate_effort(post: Post) -> None:
    body = message_body(thinking={"type": "between_tools"}, output_config={"effort": "high"})
    assert post(body).status_code == 200
    assert "between_tools" in refusal(post, {**body, "output_config": {"effort": "max"}})


def test_the_deprecated_output_format_is_refused(post: Post) -> None:
    body = message_body(output_format={"type": "json_schema", "schema": {}})
    assert "Use 'output_config.format'" in refusal(post, body)


def test_structured_output_needs_a_model_that_offers_it(post: Post, clock: SteppedClock) -> None:
    clock.now = clock.now.replace(month=5)
    body = conversation_body(model="claude-sonnet-4-20250514")
    assert "does not support structured outputs" in refusal(post, body)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"surprise": 1}, "surprise: Extra inputs are not permitted"),
        ({"max_tokens": -1}, "max_tokens: Input should be an integer of at least 0"),
        ({"max_tokens": "many"}, "max_tokens: Input should be an integer of at least 0"),
        ({"max_tokens": 128_001}, "128001 > 128000, which is the maximum"),
        ({"model": 5}, "model: Input should be a valid string"),
        ({"stop_sequences": [""]}, "stop_sequences"),
        ({"output_config": "json"}, "output_config: Input should be an object"),
        ({"output_config": {"effort": "heroic"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "text"}}}, "Input should be 'json_schema'"),
        ({"tools": ["hammer"]}, "tools: Input should be a valid list of objects"),
        ({"system": [{"type": "image"}]}, "system.0.type"),
        ({"system": [{"type": "text", "text": ""}]}, "system.0.text"),
        ({"system": 7}, "system: Input should be a valid string or list"),
    ],
)
def test_malformed_fields_are_named(post: Post, fields: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal(post, message_body(**fields))


def test_effort_is_refused_for_a_model_without_it(post: Post) -> None:
    body = message_body(model=OLD_MODEL, output_config={"effort": "low"})
    assert "does not support effort" in refusal(post, body)


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ("hello", "messages: Input should be a valid list"),
        ([], "at least one message is required"),
        (["hello"], "messages.0: Input should be a valid dictionary"),
        ([{"role": "user"}], "messages.0.content: Field required"),
        ([{"role": "wizard", "content": "x"}], "messages.0.role"),
        ([{"role": "assistant", "content": "x"}], 'first message must use the "user" role'),
        ([{"role": "user", "content": " "}], "must have non-empty content"),
        ([{"role": "user", "content": []}], "valid string or a non-empty list"),
        ([{"role": "user", "content": "x", "name": "y"}], "Extra inputs are not permitted"),
        ([{"role": "user", "content": [{"text": "x"}]}], "messages.0.content.0.type"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages.0.content.0.text"),
        ([{"role": "user", "content": [{"type": "text", "text": " "}]}], "non-whitespace"),
        (
            [{"role": "user", "content": [{"type": "text", "text": "x", "citations": [1]}]}],
            "citations are not permitted",
        ),
        (
            [
                {"role": "user", "content": "x"},
                {"role": "assistant", "content": [{"type": "document"}]},
                {"role": "user", "content": "y"},
            ],
            "document blocks are not permitted in assistant messages",
        ),
    ],
)
def test_malformed_messages_are_named(post: Post, messages: Any, complaint: str) -> None:
    assert complaint in refusal(post, message_body(messages=messages))


def test_streaming_and_automatic_caching_are_not_simulated(post: Post) -> None:
    assert "does not stream" in refusal(post, message_body(stream=True))
    automatic = message_body(cache_control={"type": "ephemeral"})
    assert "caches marked blocks alone" in refusal(post, automatic)


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        ({"type": "persistent"}, "system.0.cache_control.type: Input should be 'ephemeral'"),
        ("ephemeral", "system.0.cache_control.type: Input should be 'ephemeral'"),
        (
            {"type": "ephemeral", "ttl": "10m"},
            "system.0.cache_control.ttl: Input should be '5m' or '1h'",
        ),
        (
            {"type": "ephemeral", "scope": "all"},
            "system.0.cache_control.scope: Extra inputs are not permitted",
        ),
    ],
)
def test_a_mark_that_the_cache_does_not_know_is_refused(
    post: Post, mark: object, complaint: str
) -> None:
    system = [{"type": "text", "text": "Be brief.", "cache_control": mark}]
    assert refusal(post, message_body(system=system)) == complaint


def marked_texts(*ttls: str) -> list[dict[str, Any]]:
    return [
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": ttl}}
        for ttl in ttls
    ]


def test_a_prompt_has_at_most_four_marks(post: Post) -> None:
    assert post(message_body(system=marked_texts(*["5m"] * 4))).status_code == 200
    message = refusal(post, message_body(system=marked_texts(*["5m"] * 5)))
    assert message == "A maximum of 4 blocks with cache_control may be provided. Found 5."


def test_a_longer_life_comes_before_a_shorter_one(post: Post) -> None:
    assert post(message_body(system=marked_texts("1h", "5m"))).status_code == 200
    message = refusal(post, message_body(system=marked_texts("5m", "1h")))
    assert "must not come after" in message


def test_a_prompt_beyond_the_context_window_is_refused(post: Post) -> None:
    assert "prompt is too long" in refusal(post, message_body("word " * 650_000))


def test_a_plain_valid_request_is_answered(post: Post) -> None:
    response = post(message_body())
    assert response.status_code == 200
    assert response.json()["model"] == SONNET
