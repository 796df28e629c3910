"""DatasetSettings: what of a run's settings decides how its dataset is counted and ordered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Fraction = Annotated[float, Meta(ge=0, le=0.5)]


class DatasetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a training run's settings that its receipt needs, with the run's defaults.

    Lengths are tokens, `batch_size` is pairs per optimizer step, `validation_fraction` the share of
    conversations that is held out where nothing else says which ones are.
    """

    epochs: Annotated[int, Meta(ge=1, le=100)] = 3
    batch_size: Annotated[int, Meta(ge=1, le=4096)] = 16
    seed: Annotated[int, Meta(ge=0)] = 42
    max_seq_length: Annotated[int, Meta(ge=32)] = 4096
    max_too_long_fraction: Annotated[float, Meta(ge=0, le=1)] = 0.05
    prefix_merge: Literal["auto", "off"] = "auto"
    template_variables: dict[str, Any] = {}
    validation_fraction: Fraction = 0.1
    evaluations_per_epoch: Annotated[int, Meta(ge=1, le=100)] = 1
