"""Objects to test with, each said in a word or two."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from brightrun.batches.claim_repository import ClaimRepository, Outcome
from brightrun.batches.log import LogLine, log_line
from brightrun.batches.model import BatchItem, BatchJob, ItemStatus, JobStatus, Lease
from brightrun.batches.planner import BatchPlanner, ParameterSet, PlannedBatch
from brightrun.claude.model import Completion
from brightrun.conversations.quality.judgement import current_rubric
from brightrun.core.ids import time_ordered_id
from brightrun.core.timestamps import epoch_ms, iso
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from tests.fakes.scaffolding import InMemoryScaffolding, template

OWNER, STRANGER = "owner-1", "owner-2"
START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class SteppedClock:
    """A clock that moves only when a test moves it."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def a_plan(
    count: int = 4, *, owner: str = OWNER, job_id: str | None = None, guide: str = ""
) -> PlannedBatch:
    """A plan of built-in templates, or of one of the owner's own that begins with a guide."""
    scaffolding = InMemoryScaffolding()
    own = None
    if guide:
        text = f"{guide}Write how {{{{persona_name}}}} asks about {{{{topic_name}}}}."
        own = template(id="own-template", template_name="Guided", origin="own", template_text=text)
        scaffolding.add(owner, own)
    sets = [
        ParameterSet(persona, arc, "roth_ira_conversion", own.id if own else None)
        for persona in ("overwhelmed_avoider", "anxious_planner", "pragmatic_optimist")
        for arc in ("confusion_to_clarity", "fear_to_confidence", "crisis_to_referral")
    ]
    chosen = [sets[index % len(sets)] for index in range(count)]
    planner = BatchPlanner(ScaffoldingCatalog(scaffolding), owner)
    return planner.plan(
        chosen,
        job_id=job_id or time_ordered_id(START),
        model="claude-sonnet-5-5",
        now=iso(START),
    )


def a_job(planned: PlannedBatch, *, owner: str = OWNER, **changes: Any) -> BatchJob:
    job_id = planned.plan.job_id
    job = BatchJob(
        owner_id=owner,
        job_id=job_id,
        name="A batch",
        status=JobStatus.PROCESSING,
        total_items=len(planned.items),
        concurrent_processing=2,
        calls_per_worker=2,
        error_handling="continue",
        priority="normal",
        model="claude-sonnet-5-5",
        plan_key=f"{job_id}/plan.json",
        created_at=iso(START),
        updated_at=iso(START),
        started_at=iso(START),
    )
    return dataclasses.replace(job, **changes)


def a_lease(token: str = "worker-a", *, at: datetime = START, seconds: int = 60) -> Lease:
    return Lease(token, epoch_ms(at) + seconds * 1000)


def a_line(message: str = "a line", *, at: datetime = START) -> LogLine:
    return log_line(at, "tests", message)


def lines_for(items: list[BatchItem]) -> list[LogLine]:
    return [a_line(f"Processing item {item.position}") for item in items]


def completed(**changes: Any) -> Outcome:
    outcome = Outcome(
        status=ItemStatus.COMPLETED,
        lines=[a_line("done")],
        input_tokens=10,
        output_tokens=20,
        cost_micro_usd=300,
    )
    return dataclasses.replace(outcome, **changes)


def failed(**changes: Any) -> Outcome:
    outcome = Outcome(
        status=ItemStatus.FAILED, lines=[a_line("failed")], error_code="x", error_message="broke"
    )
    return dataclasses.replace(outcome, **changes)


def end_item(claims: ClaimRepository, item: BatchItem, outcome: Outcome, now: datetime) -> None:
    """Complete one item; raises what left it as it was."""
    if error := claims.complete([(item, outcome)], now).get(item.position):
        raise error


def a_turn(number: int, text: str | None = None, role: str | None = None) -> dict[str, Any]:
    return {
        "turn_number": number,
        "role": role or ("user" if number % 2 else "assistant"),
        "content": text if text is not None else f"This is what is said in turn {number}.",
        "emotional_context": {"primary_emotion": "confusion", "intensity": 0.7},
    }


def a_conversation(exchanges: int = 4, **changes: Any) -> dict[str, Any]:
    return {
        "conversation_metadata": {
            "client_persona": "Somebody Else - The Invented",
            "session_context": "After the annual statement came.",
            "conversation_phase": "initial_confusion",
            "expected_outcome": "One clear step.",
        },
        "turns": [a_turn(number) for number in range(1, 2 * exchanges + 1)],
        **changes,
    }


def a_judgement(score: int = 4, **changes: Any) -> Completion:
    """A judge's answer that gives every criterion the same score."""
    verdict = {"reason": "Turn 2 names the feeling before it advises.", "score": score}
    answer = {one.key: verdict for one in current_rubric().criteria}
    return a_completion(json.dumps(answer), **{"model": "claude-opus-5-5", **changes})


def a_completion(text: str | None = None, **changes: Any) -> Completion:
    completion = Completion(
        text=json.dumps(a_conversation()) if text is None else text,
        stop_reason="end_turn",
        model="claude-sonnet-5-5",
        response_id="msg_1",
        input_tokens=2000,
        output_tokens=1500,
        duration_ms=900,
    )
    return dataclasses.replace(completion, **changes)


def a_refusal() -> Completion:
    """An answer that fails its item at once: nothing can mend it."""
    return a_completion("", stop_reason="refusal", refusal_category="general_harms")
