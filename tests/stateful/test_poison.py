"""Items that break whoever touches them come to an end too, and the batch with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from brightrun.batches.model import MAX_ATTEMPTS, MAX_TAKEOVERS, ItemStatus, JobStatus
from brightrun.batches.planner import BatchPlanner, ParameterSet
from brightrun.claude.model import Completion, Prompt
from brightrun.core.errors import ClaudeCallError
from brightrun.core.ids import conversation_id, time_ordered_id
from brightrun.core.timestamps import iso
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from tests import builders as build
from tests.builders import OWNER, START
from tests.fakes.external_services import ScriptedClaude
from tests.fakes.scaffolding import InMemoryScaffolding
from tests.unit.batches.worker_setup import World

TOTAL = 100
MOST_ROUNDS = 20
BAD_PERSONA, BAD_NAME = "anxious_planner", "Jennifer Martinez"
POISON: dict[str, Completion | ClaudeCallError] = {
    "refused": build.a_refusal(),
    "not-json": build.a_completion("I would rather talk about something else."),
    "cut": build.a_completion('{"turns": [', stop_reason="max_tokens"),
    "another-shape": build.a_completion(json.dumps({"turns": []})),
    "hangs": ClaudeCallError("timeout", "No answer.", retryable=True, maybe_billed=True),
    "not-understood": ClaudeCallError("invalid_request", "Too long.", status=400),
}


class PoisonedClaude(ScriptedClaude):
    """Claude, which gives or raises the same for every prompt about one persona."""

    def __init__(self, poison: Completion | ClaudeCallError) -> None:
        super().__init__()
        self._poison = poison

    async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        answer = await super().complete(prompt, schema=schema)
        if BAD_NAME not in prompt.user:
            return answer
        if isinstance(self._poison, ClaudeCallError):
            raise self._poison
        return self._poison


@pytest.mark.slow
@pytest.mark.parametrize("bad", [1, 10, 50, TOTAL])
@pytest.mark.parametrize("kind", POISON)
def test_bad_items_are_failed_with_a_reason_and_every_good_one_is_finished(
    kind: str, bad: int, record_property: Callable[[str, object], None]
) -> None:
    world = World(claude=PoisonedClaude(POISON[kind]))
    personas = ["pragmatic_optimist"] * TOTAL
    for number in range(bad):  # spread over the whole batch
        personas[number * TOTAL // bad] = BAD_PERSONA
    sets = [ParameterSet(one, "fear_to_confidence", "roth_ira_conversion") for one in personas]
    planner = BatchPlanner(ScaffoldingCatalog(InMemoryScaffolding()), OWNER)
    planned = planner.plan(
        sets, job_id=time_ordered_id(START), model="claude-sonnet-5-5", now=iso(START)
    )
    job = build.a_job(planned)
    world.logs.put(job.plan_key, planned.plan.model_dump_json(), content_type="")
    world.batches.create(job, planned.items)
    for _ in range(MOST_ROUNDS):
        world.run_worker(job)
        ended = world.finish(job)
        if ended.status == "finished":
            break
        world.clock.advance(ended.wait_seconds)
    ends = [(item.persona_key == BAD_PERSONA, item.status) for item in world.items(job)]
    assert ends.count((True, ItemStatus.FAILED)) == bad
    assert ends.count((False, ItemStatus.COMPLETED)) == TOTAL - bad
    assert all(one.error_code for one in world.items(job) if one.status is ItemStatus.FAILED)
    ended_as = JobStatus.FAILED if bad == TOTAL else JobStatus.COMPLETED
    assert world.now(job).status is ended_as
    record_property("samples", TOTAL)


def test_an_answer_that_no_file_can_hold_fails_its_item_and_no_other() -> None:
    """JSON may escape half a surrogate pair, and UTF-8 has no bytes for it."""
    broken = build.a_conversation()
    broken["turns"][0]["content"] = "Half a \ud83d face."

    class BrokenForOneItem(ScriptedClaude):
        async def complete(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
            answer = await super().complete(prompt, schema=schema)
            # The request that mends an answer begins with the one that was answered so.
            is_first = prompt.user.startswith(self.prompts[0].user)
            return build.a_completion(json.dumps(broken)) if is_first else answer

    world = World(claude=BrokenForOneItem())
    job = world.job(3)
    world.run_worker(job)
    assert sorted(world.statuses(job)) == ["completed", "completed", "failed"]
    assert world.finish(job).status == "finished"
    assert world.now(job).status is JobStatus.COMPLETED


def test_an_item_whose_stored_answer_breaks_every_worker_fails_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    job = world.job(2)
    poisoned = conversation_id(world.items(job)[0].item_id)
    put = world.files.put

    def breaks(key: str, body: str, **kwargs: Any) -> int:
        if f"/{poisoned}/" in key and key.endswith("/conversation.json"):
            raise ZeroDivisionError
        return put(key, body, **kwargs)

    monkeypatch.setattr(world.files, "put", breaks)
    for _ in range(2 * MAX_TAKEOVERS):
        world.run_worker(job)
        if world.finish(job).status == "finished":
            break
        world.clock.advance(61)
    bad, good = world.items(job)
    assert (bad.status, bad.error_code) == (ItemStatus.FAILED, "workers_lost")
    assert bad.attempts == MAX_TAKEOVERS + 1
    assert good.status is ItemStatus.COMPLETED
    assert world.now(job).status is JobStatus.COMPLETED
    assert world.claude.calls == 2 < MAX_ATTEMPTS
