"""The GPUs and hyperparameters of a run, as estimates and training jobs request and show them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from brightrun.http.schemas import NestedModel, RequestModel


def _names(value: Any) -> Any:
    """Names from a text as the trainer takes it; anything else is left to the validation."""
    return [name.strip() for name in value.split(",")] if isinstance(value, str) else value


Name = Annotated[str, Field(min_length=1, max_length=100)]
Whole = Annotated[int, Field(ge=-(2**31), le=2**31)]
"""A number whose range `catalog.presets` checks, so that all callers get the same message."""
Real = Annotated[float, Field(ge=-1e9, le=1e9)]
Modules = Annotated[
    list[Annotated[str, Field(max_length=100)]], BeforeValidator(_names), Field(max_length=50)
]
"""Names of modules, or `all-linear` alone; `catalog.base_models` knows which can be served."""


class GpuRequest(RequestModel):
    """A GPU type of GET /api/base-models, and how many."""

    type: Name
    count: Whole = 1


class HyperparametersRequest(RequestModel):
    """The values that differ from the preset; the preset custom requires the first four."""

    learning_rate: Real | None = None
    batch_size: Whole | None = None
    epochs: Whole | None = None
    rank: Whole | None = None
    alpha: Whole | None = None
    dropout: Real | None = None
    max_seq_length: Whole | None = None
    method: Annotated[str, Field(pattern="^(lora|rslora|qlora)$", max_length=6)] | None = None
    target_modules: Modules | None = None
    evaluations_per_epoch: Whole | None = Field(
        default=None, description="How often held-out rows are measured; 0 is automatic."
    )
    early_stopping_patience: Whole | None = Field(
        default=None,
        description="Training ends after so many evaluations without improvement; 0 is never.",
    )


class HyperparametersView(NestedModel):
    """The hyperparameters that are trained with."""

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float
    max_seq_length: int
    method: str
    target_modules: Modules
    evaluations_per_epoch: int
    early_stopping_patience: int
