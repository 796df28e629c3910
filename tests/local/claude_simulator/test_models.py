from __future__ import annotations

from datetime import UTC, datetime

import pytest
from anthropic import Anthropic, BadRequestError, NotFoundError

from .conftest import SteppedClock

RETIREMENT = datetime(2026, 11, 30, tzinfo=UTC)


def test_models_are_listed_with_limits_and_lifecycle(client: Anthropic) -> None:
    models = {model.id: model for model in client.models.list()}
    assert models["claude-sonnet-5-5"].lifecycle == "active"
    assert models["claude-sonnet-5-5"].max_tokens == 128_000
    assert models["claude-sonnet-5-5"].retires_at is None
    assert models["claude-sonnet-4-20250514"].lifecycle == "retired"


def test_a_model_goes_from_deprecated_to_retired_on_its_day(
    client: Anthropic, clock: SteppedClock
) -> None:
    name = "claude-sonnet-4-5-20250929"
    before = client.models.retrieve(name)
    assert (before.lifecycle, before.retires_at) == ("deprecated", RETIREMENT)
    clock.now = RETIREMENT
    assert client.models.retrieve(name).lifecycle == "retired"


def test_an_alias_names_the_dated_model(client: Anthropic) -> None:
    assert client.models.retrieve("claude-haiku-4-5").id == "claude-haiku-4-5-20251001"


def test_an_unknown_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(NotFoundError, match="claude-imaginary"):
        client.models.retrieve("claude-imaginary")


def test_capabilities_tell_which_thinking_a_model_takes(client: Anthropic) -> None:
    capabilities = client.models.retrieve("claude-sonnet-5-5").capabilities
    assert capabilities is not None
    assert capabilities.structured_outputs.supported
    assert capabilities.thinking.types.between_tools.supported
    assert not capabilities.thinking.types.disabled.supported


def test_pages_lead_through_all_models_in_both_directions(client: Anthropic) -> None:
    all_ids = [model.id for model in client.models.list()]
    assert [model.id for model in client.models.list(limit=3)] == all_ids
    before_last = client.models.list(limit=2, before_id=all_ids[-1])
    assert [model.id for model in before_last.data] == all_ids[-3:-1]
    assert before_last.has_more


@pytest.mark.parametrize("query", [{"limit": 0}, {"after_id": "nothing"}])
def test_a_bad_page_is_refused(client: Anthropic, query: dict[str, int | str]) -> None:
    with pytest.raises(BadRequestError):
        client.models.list(extra_query=query)
