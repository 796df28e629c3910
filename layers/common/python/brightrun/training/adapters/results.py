"""What the trainer measured and wrote: results, the manifest, and the quality they show.

Two of v1's faults are not repeated: v1 gave a score of 3 when nothing was measured, and raised the
lowest score by one for overfitting. What is not known is None here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from brightrun.core.rows import LARGEST, to_dynamodb_number

Finite = Annotated[
    float,
    Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST),
    AfterValidator(lambda number: to_dynamodb_number(number) or 0.0),
]
Count = Annotated[int, Field(ge=0, le=10**15)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_READ = ConfigDict(extra="ignore", frozen=True)


class Evaluation(BaseModel):
    """The validation loss after a step; step 0 is before training."""

    model_config = _READ

    step: Count
    loss: Finite


class TrainingResults(BaseModel):
    """The fields of results.json that are used here; losses are nats per answer token."""

    model_config = _READ

    status: Literal["completed", "stopped"]
    stopped_because: str
    steps: Count
    total_steps: Count
    epochs_completed: Finite
    published_step: Count
    first_loss: Finite | None = None
    final_loss: Finite | None = None
    mean_last_10_loss: Finite | None = None
    base_validation_loss: Finite | None = None
    best_validation_loss: Finite | None = None
    final_validation_loss: Finite | None = None
    evaluations: list[Evaluation] = []
    tokens: Count = 0
    target_tokens: Count = 0
    train_seconds: Finite = 0.0
    tokens_per_second: Finite | None = None
    elapsed_seconds: Finite | None = None
    flops_per_second: Finite | None = None
    dataset: dict[str, Any] = {}
    checks: dict[str, Any] = {}

    @property
    def published_validation_loss(self) -> float | None:
        """The validation loss of the published weights; None if it was not measured."""
        measured = {one.step: one.loss for one in self.evaluations}
        return measured.get(self.published_step, self.final_validation_loss)


class ManifestFile(BaseModel):
    """A file that the container wrote."""

    model_config = _READ

    path: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha256


class DatasetFile(BaseModel):
    """A file of the dataset that the trainer read."""

    model_config = _READ

    name: str
    sha256: Sha256


class ManifestBaseModel(BaseModel):
    """The base model that the adapter belongs to."""

    model_config = _READ

    id: str
    revision: str | None


class Manifest(BaseModel):
    """The manifest: every file of the artifact but the manifest itself."""

    model_config = _READ

    format: Literal["brightrun-adapter-manifest-1"]
    job: str
    base_model: ManifestBaseModel
    dataset: list[DatasetFile]
    versions: dict[str, str | None] = {}
    settings: dict[str, Any] = {}
    files: Annotated[list[ManifestFile], Field(max_length=1000)]


SCALE = ((50.0, "excellent", 5), (30.0, "good", 4), (15.0, "fair", 3), (5.0, "poor", 2))
"""Loss reduction in per cent to exceed, its name, its score; below all of them: poor, 1."""
OVERFIT_GAP = 0.5
"""A validation loss above the training loss by more than this, in nats, is overfit."""
_LARGEST_EXPONENT = 100.0


def quality_metrics(results: TrainingResults) -> Mapping[str, Any]:
    """Score the reduction of the training loss and the gap to the validation loss.

    The perplexity is e to the validation loss of the published weights.
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
