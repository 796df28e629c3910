"""How an estimate of a training job is asked for."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from brightrun.api.shapes import RequestModel
from brightrun.domain.estimate_wish import DEFAULT_PROFILE, Profile, Wish
from brightrun.domain.training_job import GpuConfig

Name = Annotated[str, Field(min_length=1, max_length=100)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31)]
"""A number whose range the domain checks, so that every caller reads the same sentence."""
Real = Annotated[float, Field(ge=-1e9, le=1e9)]


class GpuRequest(RequestModel):
    """The GPUs: a type of GET /api/base-models, and how many."""

    type: Name
    count: Whole = 1


class HyperparametersRequest(RequestModel):
    """What differs from the preset; the preset custom needs the first four."""

    learning_rate: Real | None = None
    batch_size: Whole | None = None
    epochs: Whole | None = None
    rank: Whole | None = None
    alpha: Whole | None = None
    dropout: Real | None = None
    max_seq_length: Whole | None = None
    method: Annotated[str, Field(pattern="^(lora|rslora|qlora)$", max_length=6)] | None = None


class EstimateRequest(RequestModel):
    """POST /api/jobs/estimate: of a dataset of the caller's, or of numbers.

    `pairs_per_conversation` says how many of the given pairs share a conversation: pairs that
    repeat one another's history are trained together, which saves most of their tokens.
    """

    dataset_id: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,100}$", max_length=100)] | None = (
        None
    )
    total_training_pairs: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    total_tokens: Annotated[int, Field(ge=1, le=100_000_000_000)] | None = None
    pairs_per_conversation: Annotated[float, Field(ge=1, le=1000)] = 1.0
    profile: Profile = DEFAULT_PROFILE
    base_model: Name | None = None
    preset_id: Name | None = None
    gpu_config: GpuRequest
    hyperparameters: HyperparametersRequest = HyperparametersRequest()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.dataset_id is not None and self.total_training_pairs is not None:
            raise ValueError("give dataset_id or total_training_pairs, not both")
        return self

    def wish(self) -> Wish:
        """What the service is asked for."""
        return Wish(
            gpu=GpuConfig(self.gpu_config.type, self.gpu_config.count),
            profile=self.profile,
            dataset_id=self.dataset_id,
            pairs=self.total_training_pairs,
            tokens=self.total_tokens,
            pairs_per_conversation=self.pairs_per_conversation,
            base_model=self.base_model,
            preset_id=self.preset_id,
            hyperparameters=self.hyperparameters.model_dump(exclude_none=True),
        )
