"""What the trainer measured and wrote: results, the manifest, and the quality they show.

v1 scored by how far the loss on the trained rows fell, which says nothing about use: a model learns
any rows by heart. Here an adapter is scored against its base, on held-out rows (sft/verdict.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from brightrun.core.rows import LARGEST, to_dynamodb_number
from brightrun.sft.verdict import HeldOut, Unmeasured
from brightrun.training.adapters.model import metrics_of

Finite = Annotated[
    float,
    Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST),
    AfterValidator(lambda number: to_dynamodb_number(number) or 0.0),
]
Loss = Annotated[
    float | None,
    BeforeValidator(lambda found: to_dynamodb_number(found) if _is_number(found) else found),
]
"""A held-out loss in nats per answer token; None for one that is not finite. A training loss is
always finite: the trainer ends where it is not."""
Count = Annotated[int, Field(ge=0, le=10**15)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_READ = ConfigDict(extra="ignore", frozen=True)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Evaluation(BaseModel):
    """The validation loss after a step, None if it was not finite; step 0 is before training."""

    model_config = _READ

    step: Count
    loss: Loss


class HeldOutFigures(BaseModel):
    """The comparison of adapter and base that the trainer made (sft/verdict.py: HeldOut)."""

    model_config = _READ

    pairs: Count
    conversations: Count
    tokens: Count
    base_loss: Loss
    adapter_loss: Loss
    difference_low: Loss = None
    difference_high: Loss = None
    unmeasured: Unmeasured | None = None


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
    base_validation_loss: Loss = None
    best_validation_loss: Loss = None
    final_validation_loss: Loss = None
    evaluations: list[Evaluation] = []
    held_out: HeldOutFigures | None = None
    tokens: Count = 0
    target_tokens: Count = 0
    train_seconds: Finite = 0.0
    tokens_per_second: Finite | None = None
    elapsed_seconds: Finite | None = None
    flops_per_second: Finite | None = None
    dataset: dict[str, Any] = {}
    checks: dict[str, Any] = {}

    def comparison(self) -> HeldOut:
        """The adapter against its base.

        Trainers that did not compare the two wrote at most their losses, without an interval; those
        can show that an adapter is worse, not that it is better.
        """
        if self.held_out is not None:
            found = HeldOut(**self.held_out.model_dump())
            is_whole = found.unmeasured is not None or found.difference is not None
            return found if is_whole else replace(found, unmeasured="not_finite")
        measured = {one.step: one.loss for one in self.evaluations}
        published, base = measured.get(self.published_step), self.base_validation_loss
        if self.published_step in measured and published is None and base is not None:
            return HeldOut(base_loss=base, unmeasured="not_finite")
        if self.dataset.get("validation_pairs") == 0:
            return HeldOut(unmeasured="no_held_out_rows")
        if published is None or base is None:
            return HeldOut(base_loss=base, unmeasured="not_recorded")
        return HeldOut(base_loss=base, adapter_loss=published)


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


def quality_metrics(results: TrainingResults) -> dict[str, Any]:
    """The adapter's verdict with the figures that it rests on, and its last training loss."""
    return {"final_training_loss": results.final_loss, **metrics_of(results.comparison())}
