"""How good a trained adapter is, from its measured losses: the original's rule (spec 9.6).

Two of the original's faults are not repeated: it made up a score of 3 where nothing was known, and
raised the lowest score by one for overfitting. What is not known is None here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from brightrun.domain.training_results import TrainingResults

SCALE = ((50.0, "excellent", 5), (30.0, "good", 4), (15.0, "fair", 3), (5.0, "poor", 2))
"""Loss reduction in per cent that is exceeded, its name, its score; below all of them: poor, 1."""

OVERFIT_GAP = 0.5
"""Validation loss above the training loss by more than this, in nats, is called overfit."""

_LARGEST_EXPONENT = 100.0


def quality_metrics(results: TrainingResults) -> Mapping[str, Any]:
    """Score the drop from the first training loss to the last one, and the gap to the held out.

    The perplexity is e to the validation loss of the weights that were published.
    """
    final, validation = results.final_loss, results.published_validation_loss
    reduction = _reduction_percent(results.first_loss, final)
    quality, score = _convergence(reduction)
    overfit = validation is not None and final is not None and validation - final > OVERFIT_GAP
    if overfit and score is not None:
        quality, score = "overfit", max(1, score - 1)
    return {
        "overall_score": score,
        "convergence_quality": quality,
        "final_training_loss": final,
        "final_validation_loss": validation,
        "perplexity": _perplexity(validation),
        "loss_reduction_percent": reduction,
    }


def _reduction_percent(first: float | None, last: float | None) -> float | None:
    if first is None or last is None or first <= 0:
        return None
    return round((first - last) / first * 100, 2)


def _convergence(reduction: float | None) -> tuple[str, int | None]:
    if reduction is None:
        return "unknown", None
    for above, quality, score in SCALE:
        if reduction > above:
            return quality, score
    return "poor", 1


def _perplexity(loss: float | None) -> float | None:
    return None if loss is None or loss > _LARGEST_EXPONENT else math.exp(loss)
