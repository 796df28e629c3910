"""The prompt cache in whole batches: a worker through the SDK against the strict simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from brightrun.batches import prompt_cache
from brightrun.batches.model import BatchJob
from brightrun.batches.prompt_cache import CacheUse, cache_notice
from brightrun.batches.run_worker import WorkerRunner
from brightrun.batches.workflow import WorkerInvocation
from brightrun.claude.client import anthropic_claude
from local.claude_simulator import ClaudeSimulator
from tests.builders import OWNER
from tests.unit.batches.worker_setup import PLENTY_S, World

TODAY = date(2026, 11, 21)
GUIDE = "Write short sentences. Ask before you advise.\n" * 400
"""18,400 characters: 5,980 tokens of a current model."""
ITEMS = 40


class Simulated(World):
    """Batches that are written by the simulator, as any Claude would."""

    def __init__(self, simulator: ClaudeSimulator) -> None:
        super().__init__()
        self.simulator = simulator

    def runner(self) -> WorkerRunner:
        return replace(
            super().runner(),
            open_claude=lambda model: anthropic_claude(
                "simulator",
                model,
                TODAY,
                base_url=self.simulator.url,
                api_key="k",
                workspace_id="",
            ),
        )

    def written(self, **changes: object) -> BatchJob:
        """A batch of ITEMS conversations that share the guide, after all turns of its worker."""
        job = self.guided_job(ITEMS, GUIDE, concurrent_processing=1, **changes)
        for _ in range(10):
            request = WorkerInvocation(owner_id=OWNER, job_id=job.job_id, worker=0)
            result = self.runner().run(request, lambda: PLENTY_S)
            self.clock.advance(result.wait_seconds)
            if self.now(job).open_items == 0:
                break
        return self.now(job)


@pytest.fixture
def world() -> Iterator[Simulated]:
    with ClaudeSimulator(latency_seconds=0.05) as simulator:
        yield Simulated(simulator)


def test_a_batch_that_shares_six_thousand_tokens_costs_a_third_less(
    world: Simulated, record_property: Callable[[str, object], None]
) -> None:
    cached = world.written(calls_per_worker=20)
    # As if its pilot had failed, so that nothing is marked.
    plain = world.written(calls_per_worker=20, cache_calls=3, cache_saved_micro_usd=-1)

    assert cached.successful_items == plain.successful_items == ITEMS
    assert cached.output_tokens == plain.output_tokens
    use = CacheUse.of(cached)
    assert use.calls == ITEMS
    assert use.written_tokens * (ITEMS - 1) == use.read_tokens
    assert use.saved_micro_usd == plain.cost_micro_usd - cached.cost_micro_usd
    saved = use.saved_micro_usd / plain.cost_micro_usd
    record_property("saved", saved)
    print(f"{saved:.0%} of ${plain.cost_micro_usd / 1e6:.4f} saved")  # noqa: T201 - for people
    assert saved > 0.33
    assert cache_notice(cached) is None


def test_in_the_economy_lane_it_costs_less_too(
    world: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_cache, "LEAST_ITEMS", {"economy": ITEMS})
    job = world.written(lane="economy")

    assert job.successful_items == ITEMS
    use = CacheUse.of(job)
    assert use.calls == ITEMS
    assert use.hit_rate == pytest.approx(1 - 1 / ITEMS)
    tokens = use.written_tokens
    assert use.saved_micro_usd == pytest.approx(
        ((2 - 0.1) * (ITEMS - 1) - (4 - 2)) * tokens / 2, abs=ITEMS
    )
