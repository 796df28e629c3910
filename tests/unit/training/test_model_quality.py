"""v1's quality rule, on measured losses."""

from __future__ import annotations

import math
from typing import Any

import pytest

from brightrun.training.adapters.results import TrainingResults, quality_metrics
from tests.fakes import adapter


def quality(**changes: Any) -> Any:
    """Without anything held out, unless the changes say otherwise."""
    nothing: dict[str, Any] = {"evaluations": [], "final_validation_loss": None}
    results = adapter.results(**{**nothing, **changes})
    return quality_metrics(TrainingResults.model_validate(results))


@pytest.mark.parametrize(
    ("last", "name", "score"),
    [
        (0.99, "excellent", 5),
        (1.0, "good", 4),
        (1.39, "good", 4),
        (1.4, "fair", 3),
        (1.7, "poor", 2),
        (1.9, "poor", 1),
        (2.5, "poor", 1),
    ],
)
def test_the_score_follows_the_drop_of_the_loss(last: float, name: str, score: int) -> None:
    found = quality(first_loss=2.0, final_loss=last)
    assert (found["convergence_quality"], found["overall_score"]) == (name, score)


def test_overfitting_takes_a_point_but_never_gives_one() -> None:
    gap = {"evaluations": [{"step": 33, "loss": 2.6}]}
    found = quality(first_loss=2.0, final_loss=0.5, **gap)
    assert (found["convergence_quality"], found["overall_score"]) == ("overfit", 4)
    assert quality(first_loss=2.0, final_loss=2.0, **gap)["overall_score"] == 1


def test_what_was_not_measured_is_unknown() -> None:
    found = quality(first_loss=None, final_loss=None)
    assert found["convergence_quality"] == "unknown"
    figures = {name: value for name, value in found.items() if name != "convergence_quality"}
    assert set(figures.values()) == {None}


def test_the_perplexity_is_that_of_the_weights_that_were_published() -> None:
    evaluations = [{"step": 11, "loss": 1.0}, {"step": 33, "loss": 1.5}]
    found = quality(evaluations=evaluations, published_step=11, final_validation_loss=1.5)
    assert found["final_validation_loss"] == 1.0
    assert found["perplexity"] == pytest.approx(math.e)


def test_a_diverged_validation_loss_has_no_perplexity() -> None:
    assert quality(evaluations=[{"step": 33, "loss": 1e5}])["perplexity"] is None
