"""Budgets and groups over real HTTP, on the deployed templates with a real user pool."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cli.errors import CliError
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow


def own_budget(system: Installation) -> dict[str, Any]:
    budget: dict[str, Any] = system.client.get("/api/costs/budget")["data"]["owner"]
    return budget


def test_a_second_order_waits_until_the_first_has_given_back_what_it_did_not_spend(
    install: Callable[[], Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIGHTRUN_BUDGET_USD", "5")
    system = install()
    system.start(latency_seconds=2)
    job_id = system.create_batch(maxCostUsd=4)
    assert own_budget(system)["reserved"]["writing"] == 4
    with pytest.raises(CliError, match=r"may cost up to \$3\.00.*\$1\.00 are left") as refused:
        system.create_batch(maxCostUsd=3)
    assert refused.value.code == "budget_exceeded"
    assert system.follow(job_id).successful == 12
    # Simulated answers cost nothing, so that all of it is given back.
    assert own_budget(system) == {
        "limit_usd": 5.0,
        "spent": {"writing": 0.0, "training": 0.0},
        "reserved": {"writing": 0.0, "training": 0.0},
        "left_usd": 5.0,
    }
    assert system.follow(system.create_batch(maxCostUsd=3)).successful == 12


def test_a_reviewer_of_the_user_pool_may_read_and_not_order(system: Installation) -> None:
    with system.as_user("reviewer@brightrun.local", "reviewers") as reviewer:
        assert reviewer.client.get("/api/batch-jobs", {})["jobs"] == []
        with pytest.raises(CliError, match="needs the group 'writers' or 'trainers'") as refused:
            reviewer.create_batch()
        assert (refused.value.status, refused.value.code) == (403, "group_required")
    with system.as_user("writer@brightrun.local", "reviewers", "writers") as writer:
        writer.create_batch()
