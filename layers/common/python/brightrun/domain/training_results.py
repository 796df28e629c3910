"""results.json and manifest.json as the training container writes them: read, and checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from brightrun.domain.storable import LARGEST, storable

Finite = Annotated[
    float,
    Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST),
    AfterValidator(lambda number: storable(number) or 0.0),
]
Count = Annotated[int, Field(ge=0, le=10**15)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_READ = ConfigDict(extra="ignore", frozen=True)


class Evaluation(BaseModel):
    """The loss on what was held out, after a step; 0 is before training."""

    model_config = _READ

    step: Count
    loss: Finite


class TrainingResults(BaseModel):
    """What of results.json the platform needs; losses are nats per answer token."""

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
        """The loss on what was held out of the weights that were published; None if unmeasured."""
        measured = {one.step: one.loss for one in self.evaluations}
        return measured.get(self.published_step, self.final_validation_loss)


class ManifestFile(BaseModel):
    """A file that the container wrote, or read."""

    model_config = _READ

    path: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha256


class DatasetFile(BaseModel):
    """A file of the dataset, as the trainer read it."""

    model_config = _READ

    name: str
    sha256: Sha256


class ManifestBaseModel(BaseModel):
    """The base model that the adapter belongs to."""

    model_config = _READ

    id: str
    revision: str | None


class Manifest(BaseModel):
    """The bill of materials: every file of the artifact but the manifest itself."""

    model_config = _READ

    format: Literal["brightrun-adapter-manifest-1"]
    job: str
    base_model: ManifestBaseModel
    dataset: list[DatasetFile]
    versions: dict[str, str | None] = {}
    settings: dict[str, Any] = {}
    files: Annotated[list[ManifestFile], Field(max_length=1000)]
