from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from local.claude_simulator import ClaudeSimulator

from .conftest import Post, SteppedClock
from .requests import ARCS, conversation_body, message_body, scaffolded_prompt

BATCHES = "/v1/messages/batches"


def requests(count: int) -> list[Any]:
    return [
        {
            "custom_id": f"item-{number}",
            "params": conversation_body(scaffolded_prompt(ARCS[number])),
        }
        for number in range(count)
    ]


def ended(client: Anthropic, items: list[Any]) -> MessageBatch:
    """A batch of `items` after the one retrieval that ends it."""
    return client.messages.batches.retrieve(client.messages.batches.create(requests=items).id)


def results(client: Anthropic, batch: MessageBatch) -> dict[str, MessageBatchIndividualResponse]:
    return {item.custom_id: item for item in client.messages.batches.results(batch.id)}


def test_a_batch_goes_from_in_progress_to_ended(client: Anthropic) -> None:
    created = client.messages.batches.create(requests=requests(3))
    assert (created.processing_status, created.request_counts.processing) == ("in_progress", 3)
    assert created.results_url is None
    assert created.expires_at - created.created_at == timedelta(hours=24)
    batch = client.messages.batches.retrieve(created.id)
    assert (batch.processing_status, batch.request_counts.succeeded) == ("ended", 3)
    assert batch.request_counts.processing == 0


@pytest.fixture
def slow_client() -> Iterator[Anthropic]:
    with (
        ClaudeSimulator(batch_polls=3) as simulator,
        Anthropic(base_url=simulator.url, api_key="k", max_retries=0) as client,
    ):
        yield client


def test_a_batch_can_take_several_polls(slow_client: Anthropic) -> None:
    batch_id = slow_client.messages.batches.create(requests=requests(1)).id
    statuses = [slow_client.messages.batches.retrieve(batch_id).processing_status for _ in range(4)]
    assert statuses == ["in_progress", "in_progress", "ended", "ended"]


def test_results_are_the_messages_of_single_calls_at_batch_tier(client: Anthropic) -> None:
    found = results(client, ended(client, requests(2)))
    single = client.messages.create(**conversation_body(scaffolded_prompt(ARCS[1])))
    result = found["item-1"].result
    assert result.type == "succeeded"
    assert result.message.content == single.content
    assert result.message.usage.service_tier == "batch"
    assert result.message.id.startswith("msg_sim_")


def test_results_come_in_another_order_and_stay_the_same(client: Anthropic) -> None:
    items = [{"custom_id": str(number), "params": message_body()} for number in range(30)]
    batch = ended(client, items)
    order = [item.custom_id for item in client.messages.batches.results(batch.id)]
    again = [item.custom_id for item in client.messages.batches.results(batch.id)]
    assert sorted(order, key=int) == [item["custom_id"] for item in items]
    assert order != sorted(order, key=int)
    assert order == again


def test_what_is_wrong_with_one_request_shows_only_in_its_result(client: Anthropic) -> None:
    bad: list[Any] = [
        {"custom_id": "warm", "params": message_body(max_tokens=0)},
        {"custom_id": "stream", "params": message_body(stream=True)},
        {"custom_id": "text", "params": "hello"},
    ]
    batch = ended(client, [*requests(1), *bad])
    assert (batch.request_counts.succeeded, batch.request_counts.errored) == (1, 3)
    result = results(client, batch)["warm"].result
    assert result.type == "errored"
    assert result.error.error.type == "invalid_request_error"


def test_faults_meet_single_items(simulator: ClaudeSimulator, client: Anthropic) -> None:
    def meets(item: str, **fault: Any) -> dict[str, Any]:
        return {**fault, "when": {"endpoint": "batch_items", "custom_id": item}}

    simulator.script(
        meets("item-0", status=529),
        meets("item-1", expired=True),
        meets("item-2", refusal="frontier_llm"),
        meets("item-3", truncate=0.5),
    )
    batch = ended(client, requests(5))
    counts = batch.request_counts
    assert (counts.errored, counts.expired, counts.succeeded) == (1, 1, 3)
    found = {name: item.result for name, item in results(client, batch).items()}
    reasons = {
        name: result.message.stop_reason
        for name, result in found.items()
        if result.type == "succeeded"
    }
    assert reasons == {"item-2": "refusal", "item-3": "max_tokens", "item-4": "end_turn"}


def test_a_canceled_batch_ends_with_canceled_requests(
    simulator: ClaudeSimulator, client: Anthropic
) -> None:
    batch_id = client.messages.batches.create(requests=requests(2)).id
    assert client.messages.batches.cancel(batch_id).processing_status == "canceling"
    batch = client.messages.batches.retrieve(batch_id)
    assert (batch.processing_status, batch.request_counts.canceled) == ("ended", 2)
    assert simulator.journal.snapshot()["answered"] == 0


def test_a_batch_that_is_not_done_in_24_hours_expires(
    client: Anthropic, clock: SteppedClock
) -> None:
    batch_id = client.messages.batches.create(requests=requests(2)).id
    clock.now += timedelta(hours=24)
    assert client.messages.batches.retrieve(batch_id).request_counts.expired == 2


def test_an_open_batch_has_no_results_and_cannot_be_deleted(client: Anthropic, post: Post) -> None:
    batch_id = client.messages.batches.create(requests=requests(1)).id
    with pytest.raises(anthropic.BadRequestError, match="cancel first"):
        client.messages.batches.delete(batch_id)
    with pytest.raises(anthropic.NotFoundError, match="not available yet"):
        client.get(f"{BATCHES}/{batch_id}/results", cast_to=object)


def test_an_ended_batch_can_be_deleted(client: Anthropic) -> None:
    batch = ended(client, requests(1))
    assert client.messages.batches.delete(batch.id).type == "message_batch_deleted"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.batches.retrieve(batch.id)


def test_batches_are_listed_newest_first(client: Anthropic) -> None:
    made = [client.messages.batches.create(requests=requests(1)).id for _ in range(3)]
    assert [batch.id for batch in client.messages.batches.list(limit=2)] == made[::-1]


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ([], "requests: Field required"),
        ([{"custom_id": "a"}], "requests.0.params: Field required"),
        ([{"custom_id": "a b", "params": {}}], "requests.0.custom_id: String should match"),
        ([{"params": {}}], "requests.0.custom_id"),
        ([{"custom_id": "a", "params": {}}] * 2, "requests.1.custom_id: custom_id must be unique"),
        ([{"custom_id": "a", "params": {}}] * 100_001, "at most 100000 requests"),
    ],
)
def test_a_malformed_batch_is_refused(post: Post, items: list[Any], complaint: str) -> None:
    response = post({"requests": items}, path=BATCHES)
    assert response.status_code == 400
    assert complaint in response.json()["error"]["message"]


def test_each_batched_answer_is_counted_once(simulator: ClaudeSimulator, client: Anthropic) -> None:
    batch = ended(client, requests(2))
    client.messages.batches.retrieve(batch.id)
    results(client, batch)
    assert simulator.journal.paid_for(requests(1)[0]["params"]["messages"]) == 1
