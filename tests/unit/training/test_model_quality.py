"""The quality of a delivered adapter, read from what its trainer wrote."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from brightrun.training.adapters.results import TrainingResults, quality_metrics
from tests.fakes import adapter


def quality(**changes: Any) -> dict[str, Any]:
    """The metrics of results.json with these changes, read from its bytes."""
    document = json.dumps(adapter.results(**changes))
    return quality_metrics(TrainingResults.model_validate_json(document))


def old_quality(**changes: Any) -> dict[str, Any]:
    """Those of a trainer that compared nothing."""
    return quality(**{"held_out": None, **changes})


def test_the_score_is_that_of_the_comparison_with_the_base() -> None:
    found = quality(held_out=adapter.held_out(2.0, 1.6, 0.1), final_loss=0.01)
    assert (found["overall_score"], found["convergence_quality"]) == (4, "good")
    assert found["loss_reduction_percent"] == 20.0
    assert found["final_validation_loss"] == 1.6
    assert found["perplexity"] == pytest.approx(math.exp(1.6))
    assert found["held_out"]["difference"] == pytest.approx(-0.4)
    assert found["verdict"]["headline"].startswith("Better than its base")


def test_rows_learned_by_heart_do_not_raise_the_score() -> None:
    learned = quality(held_out=adapter.held_out(1.087, 3.897, 0.2), first_loss=6.0, final_loss=0.01)
    assert learned["overall_score"] == 1
    assert learned["verdict"]["outcome"] == "worse"


def test_nothing_held_out_is_no_score() -> None:
    nothing = adapter.held_out(None, None, None, tokens=0, unmeasured="no_held_out_rows")
    for found in (quality(held_out=nothing), old_quality(dataset={"validation_pairs": 0},
                                                         evaluations=[])):  # fmt: skip
        assert found["overall_score"] is None
        assert found["convergence_quality"] == "unknown"
        assert found["verdict"]["headline"] == "Not measured: no held-out rows."


def test_results_without_an_interval_never_praise() -> None:
    better = old_quality(base_validation_loss=4.0, evaluations=[{"step": 33, "loss": 1.0}])
    assert (better["overall_score"], better["verdict"]["outcome"]) == (None, "unknown")
    absent = old_quality(base_validation_loss=None, evaluations=[])
    assert (absent["overall_score"], absent["verdict"]["outcome"]) == (None, "unknown")


def test_results_without_an_interval_still_show_that_an_adapter_is_worse() -> None:
    diverged = old_quality(base_validation_loss=1.087, evaluations=[{"step": 33, "loss": 3.897}])
    assert (diverged["overall_score"], diverged["verdict"]["outcome"]) == (1, "worse")
    assert "interval unknown" in diverged["verdict"]["headline"]


def test_the_loss_of_other_weights_than_the_published_ones_is_not_theirs() -> None:
    evaluations = [{"step": 11, "loss": 1.0}, {"step": 22, "loss": 1.5}]
    found = old_quality(evaluations=evaluations, published_step=33, final_validation_loss=1.5)
    assert found["final_validation_loss"] is None
    assert found["verdict"]["outcome"] == "unknown"


@pytest.mark.parametrize("junk", [math.nan, math.inf, 1e200])
def test_a_held_out_loss_that_is_no_number_is_the_worst_score(junk: float) -> None:
    for found in (
        quality(held_out=adapter.held_out(1.5, junk, 0.1)),
        old_quality(base_validation_loss=1.5, evaluations=[{"step": 33, "loss": junk}]),
    ):
        assert (found["overall_score"], found["verdict"]["outcome"]) == (1, "worse")
        assert found["final_validation_loss"] is None
        json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("junk", [math.nan, -math.inf])
def test_a_base_whose_loss_is_no_number_proves_nothing(junk: float) -> None:
    found = quality(held_out=adapter.held_out(junk, 1.5, 0.1))
    assert (found["overall_score"], found["verdict"]["outcome"]) == (None, "unknown")
