"""The simulated prompt cache: what marked prompts write, read and lose again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .conftest import Post, SteppedClock
from .requests import message_body

GUIDE = "Write short sentences. " * 200
"""4,600 characters: 1,495 tokens of a current model, 1,150 of an older one."""
TOKENS = 1_495


def marked(text: str, ttl: str | None = None) -> dict[str, Any]:
    mark = {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})
    return {"type": "text", "text": text, "cache_control": mark}


def asked(post: Post, question: str, **fields: Any) -> dict[str, Any]:
    """What a question after the guide reads from the cache and writes to it, in tokens."""
    body = {**message_body(question), "system": [marked(GUIDE)], **fields}
    answer = post(body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["usage"])


def tokens(usage: dict[str, Any]) -> tuple[int, int]:
    return usage["cache_creation_input_tokens"], usage["cache_read_input_tokens"]


def test_the_first_prompt_writes_what_the_next_one_reads(post: Post) -> None:
    first, second = asked(post, "One?"), asked(post, "Two?")
    assert (tokens(first), tokens(second)) == ((TOKENS, 0), (0, TOKENS))
    assert first["cache_creation"] == {
        "ephemeral_5m_input_tokens": TOKENS,
        "ephemeral_1h_input_tokens": 0,
    }


def test_what_is_cached_is_not_counted_as_input(post: Post) -> None:
    plain = asked(post, "One?", system=GUIDE)
    assert tokens(plain) == (0, 0)
    for _ in range(2):
        usage = asked(post, "One?")
        assert usage["input_tokens"] + sum(tokens(usage)) == plain["input_tokens"]


def test_another_start_is_not_found(post: Post) -> None:
    asked(post, "One?")
    other = asked(post, "One?", system=[marked("A. " + GUIDE)])
    assert tokens(other)[1] == 0
    assert tokens(asked(post, "One?", model="claude-opus-5-5")) == (TOKENS, 0)


@pytest.mark.parametrize(
    ("model", "cached"),
    [
        ("claude-opus-5", True),
        ("claude-sonnet-5", True),
        ("claude-sonnet-4-5-20250929", True),
        ("claude-haiku-4-5-20251001", False),
        ("claude-opus-4-5-20251101", False),
    ],
)
def test_a_start_below_the_models_minimum_is_not_cached_and_nothing_says_so(
    post: Post, model: str, cached: bool
) -> None:
    for _ in range(2):
        usage = asked(post, "One?", model=model)
        assert (sum(tokens(usage)) > 0) is cached


def test_five_minutes_are_counted_from_the_last_reading(post: Post, clock: SteppedClock) -> None:
    asked(post, "One?")
    for _ in range(3):
        clock.now += timedelta(minutes=4)
        assert tokens(asked(post, "Two?")) == (0, TOKENS)
    clock.now += timedelta(minutes=5)
    assert tokens(asked(post, "Three?")) == (TOKENS, 0)


def test_an_hour_is_kept_for_an_hour(post: Post, clock: SteppedClock) -> None:
    written = asked(post, "One?", system=[marked(GUIDE, "1h")])
    assert written["cache_creation"]["ephemeral_1h_input_tokens"] == TOKENS
    clock.now += timedelta(minutes=59)
    assert tokens(asked(post, "Two?", system=[marked(GUIDE, "1h")])) == (0, TOKENS)
    clock.now += timedelta(minutes=61)
    assert tokens(asked(post, "Three?", system=[marked(GUIDE, "1h")])) == (TOKENS, 0)


def test_a_longer_start_reads_the_shorter_one_and_writes_the_rest(post: Post) -> None:
    asked(post, "One?")
    usage = asked(post, "One?", messages=[{"role": "user", "content": [marked(GUIDE)]}])
    assert tokens(usage) == (TOKENS, TOKENS)


def test_the_division_into_blocks_changes_no_answer(post: Post) -> None:
    whole = post(message_body(GUIDE + "One?")).json()["content"]
    blocks = [marked(GUIDE), {"type": "text", "text": "One?"}]
    divided = post(message_body(messages=[{"role": "user", "content": blocks}])).json()
    assert divided["content"] == whole
