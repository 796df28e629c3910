"""The prompt cache over real HTTP on the deployed templates: a guide of one's own is paid once."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import SELECTION, Installation

pytestmark = pytest.mark.slow

GUIDE = "Write short sentences. Ask before you advise.\n" * 400
"""18,400 characters: 5,980 tokens of a current model."""


def test_what_the_prompts_of_a_template_share_is_written_once_and_read_by_the_others(
    system: Installation,
) -> None:
    made = system.client.post(
        "/api/templates",
        {
            "template_name": "Guided",
            "emotional_arc_type": "confusion_to_clarity",
            "template_text": GUIDE + "Write how {{persona_name}} asks about {{topic_name}}.",
        },
    )
    selection = {**SELECTION, "template_id": made["template"]["id"]}
    job_id = system.create_batch(selection=selection, concurrentProcessing=1)
    assert system.follow(job_id).successful == 12

    status = system.client.get(f"/api/conversations/batch/{job_id}/status", {})
    cache = status["prompt_cache"]
    assert cache["written_tokens"] > 5_980
    assert cache["read_tokens"] == 11 * cache["written_tokens"]
    assert cache["hit_rate"] == pytest.approx(11 / 12)
    assert cache["saved_usd"] > 0.1
    assert cache["notice"] is None


def test_a_batch_of_shipped_templates_says_that_they_share_too_little(
    system: Installation,
) -> None:
    job_id = system.create_batch()
    assert system.follow(job_id).successful == 12
    cache = system.client.get(f"/api/conversations/batch/{job_id}/status", {})["prompt_cache"]
    assert (cache["read_tokens"], cache["written_tokens"], cache["saved_usd"]) == (0, 0, 0)
    assert cache["notice"].startswith("The prompts share about ")
    assert "below the 1,024 from which on it is tried" in cache["notice"]
