from __future__ import annotations

import json
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types import Message

from local.claude_simulator import ClaudeSimulator

from .requests import ARCS, conversation_body, message_body


def text_of(message: Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, anthropic.BadRequestError),
        (401, anthropic.AuthenticationError),
        (402, anthropic.PaymentRequiredError),
        (403, anthropic.PermissionDeniedError),
        (429, anthropic.RateLimitError),
        (500, anthropic.InternalServerError),
        (504, anthropic.GatewayTimeoutError),
        (529, anthropic.OverloadedError),
    ],
)
def test_a_status_fault_raises_the_exception_of_the_sdk(
    simulator: ClaudeSimulator,
    client: Anthropic,
    status: int,
    error: type[anthropic.APIStatusError],
) -> None:
    simulator.script({"status": status})
    with pytest.raises(error) as caught:
        client.messages.create(**message_body())
    assert caught.value.status_code == status
    assert client.messages.create(**message_body()).stop_reason == "end_turn"


def test_retry_headers_reach_the_client(simulator: ClaudeSimulator, client: Anthropic) -> None:
    simulator.script({"status": 429, "retry_after": 2.5, "should_retry": False})
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**message_body())
    assert caught.value.response.headers["retry-after"] == "2.5"
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_a_spend_limit_has_its_own_exception(simulator: ClaudeSimulator, client: Anthropic) -> None:
    simulator.script({"status": 429, "error_code": "enforced_spend_limit_reached"})
    with pytest.raises(anthropic.EnforcedSpendLimitReachedError) as caught:
        client.messages.create(**message_body())
    assert "retry-after" not in caught.value.response.headers


def test_the_sdk_retries_after_the_time_it_is_given(simulator: ClaudeSimulator) -> None:
    simulator.script({"status": 529, "retry_after": 0.01}, {"status": 429, "retry_after": 0.01})
    with Anthropic(base_url=simulator.url, api_key="k", max_retries=2) as patient:
        assert patient.messages.create(**message_body()).stop_reason == "end_turn"
    assert simulator.journal.statuses("messages") == {529: 1, 429: 1, 200: 1}


def test_a_reset_is_a_connection_error(simulator: ClaudeSimulator, client: Anthropic) -> None:
    simulator.script({"reset": True})
    with pytest.raises(anthropic.APIConnectionError) as caught:
        client.messages.create(**message_body())
    assert "reset by peer" in str(caught.value.__cause__)
    assert simulator.journal.statuses("messages") == {"reset": 1}


def test_a_hang_times_out_and_is_not_paid_for(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    simulator.script({"hang_seconds": 60})
    with pytest.raises(anthropic.APITimeoutError):
        client.messages.create(**message_body(), timeout=0.2)
    messages = message_body()["messages"]
    assert simulator.journal.calls_for(messages) == 1
    assert simulator.journal.paid_for(messages) == 0


def test_a_hang_ends_by_itself(simulator: ClaudeSimulator, client: Anthropic) -> None:
    simulator.script({"hang_seconds": 0.05})
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**message_body())


def test_leaving_the_block_ends_a_hanging_call() -> None:
    with ClaudeSimulator() as simulator:
        simulator.script({"hang_seconds": 3600})
        with (
            Anthropic(base_url=simulator.url, api_key="k", max_retries=0) as client,
            pytest.raises(anthropic.APITimeoutError),
        ):
            client.messages.create(**message_body(), timeout=0.1)


def test_truncation_ends_at_max_tokens_and_bills_them(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    whole = text_of(client.messages.create(**conversation_body()))
    simulator.script({"truncate": 0.5})
    message = client.messages.create(**conversation_body())
    assert message.stop_reason == "max_tokens"
    assert message.usage.output_tokens == 24576
    assert text_of(message) == whole[: len(whole) // 2]


def test_a_refusal_has_a_category_and_no_content(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    simulator.script({"refusal": "frontier_llm"})
    message = client.messages.create(**conversation_body())
    assert (message.stop_reason, message.content) == ("refusal", [])
    assert message.stop_details is not None
    assert message.stop_details.category == "frontier_llm"


def test_a_stop_reason_can_be_scripted(simulator: ClaudeSimulator, client: Anthropic) -> None:
    simulator.script({"stop_reason": "model_context_window_exceeded"})
    message = client.messages.create(**conversation_body())
    assert message.stop_reason == "model_context_window_exceeded"


def test_a_schema_violation_is_valid_json_without_a_required_property(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    simulator.script({"schema_violation": True})
    message = client.messages.create(**conversation_body())
    last = json.loads(text_of(message))["turns"][-1]["emotional_context"]
    assert "intensity" not in last


def test_an_invalid_request_does_not_use_up_a_fault(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    simulator.script({"status": 529})
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(**message_body(thinking={"type": "disabled"}))
    with pytest.raises(anthropic.OverloadedError):
        client.messages.create(**message_body())


def test_the_batches_endpoint_can_fail_too(simulator: ClaudeSimulator, client: Anthropic) -> None:
    simulator.script({"status": 500, "when": {"endpoint": "batches"}})
    with pytest.raises(anthropic.InternalServerError):
        client.messages.batches.create(
            requests=[{"custom_id": "a", "params": message_body()}]  # type: ignore[typeddict-item]
        )


def defective(simulator: ClaudeSimulator, client: Anthropic, defect: str) -> list[dict[str, Any]]:
    """The turns of a conversation along ARCS[0], of 3 to 5 exchanges, with a defect."""
    simulator.script({"defect": defect})
    turns: list[dict[str, Any]] = json.loads(
        text_of(client.messages.create(**conversation_body()))
    )["turns"]
    return turns


def test_a_conversation_can_end_on_a_user_turn(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    assert defective(simulator, client, "ends_on_user")[-1]["role"] == "user"


def test_turns_can_be_too_many(simulator: ClaudeSimulator, client: Anthropic) -> None:
    assert len(defective(simulator, client, "too_many_turns")) / 2 > ARCS[0].exchanges[1]


def test_a_turn_can_end_in_a_backslash(simulator: ClaudeSimulator, client: Anthropic) -> None:
    assert defective(simulator, client, "trailing_backslash")[-1]["content"].endswith("\\")


@pytest.mark.parametrize("fault", [{"defect": "ends_on_user"}, {"schema_violation": True}])
def test_a_content_fault_on_a_plain_call_is_reported(
    simulator: ClaudeSimulator, client: Anthropic, fault: dict[str, Any]
) -> None:
    simulator.script(fault)
    with pytest.raises(anthropic.InternalServerError, match="scripted fault needs a request with"):
        client.messages.create(**message_body())
