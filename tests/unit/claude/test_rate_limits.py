"""What the headers of an answer say about the rate limits of the account."""

from __future__ import annotations

import pytest

from brightrun.claude.base_client import near_limit
from tests.builders import a_completion


def headers(**left_of_100: int) -> dict[str, str]:
    told: dict[str, str] = {}
    for rate, left in left_of_100.items():
        name = f"anthropic-ratelimit-{rate.replace('_', '-')}"
        told |= {f"{name}-limit": "100", f"{name}-remaining": str(left)}
    return told


@pytest.mark.parametrize("rate", ["requests", "tokens", "input_tokens", "output_tokens"])
def test_less_than_a_tenth_of_any_limit_is_near_it(rate: str) -> None:
    plenty = headers(requests=90, tokens=90, input_tokens=90, output_tokens=90)
    assert not near_limit(plenty)
    assert not near_limit({**plenty, **headers(**{rate: 10})})
    assert near_limit({**plenty, **headers(**{rate: 9})})


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"anthropic-ratelimit-requests-remaining": "0"},
        {
            "anthropic-ratelimit-tokens-remaining": "few",
            "anthropic-ratelimit-tokens-limit": "1",
        },
    ],
)
def test_headers_that_say_nothing_hold_nothing_back(told: dict[str, str]) -> None:
    assert not near_limit(told)


def test_an_answer_is_stored_without_what_was_true_at_the_moment_only() -> None:
    assert "near_limit" not in a_completion().metadata()
