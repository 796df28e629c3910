"""DatasetSettings: what of a run's settings decides how its dataset is counted and ordered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Fraction = Annotated[float, Meta(ge=0, le=0.5)]

EVALUATIONS_A_RUN = 6
MOST_AN_EPOCH = 3
STEPS_BETWEEN = 5
"""Limits of the automatic number of evaluations. An evaluation of a tenth of the data costs about a
twentieth of an epoch, so three cost 15 %; fewer than five steps change little."""


def evaluations_an_epoch(asked: int, *, pairs: int, batch_size: int, epochs: int) -> int:
    """How often held-out rows are measured in an epoch of `pairs` pairs; `asked` 0 is automatic.

    Automatic is several times, so that a run that has stopped improving can end before its last
    epoch, but fewer the more epochs there are, and once where an epoch has few steps.
    """
    if asked:
        return asked
    steps = pairs // batch_size
    wanted = -(-EVALUATIONS_A_RUN // epochs)
    return max(1, min(wanted, MOST_AN_EPOCH, steps // STEPS_BETWEEN))


class DatasetSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a training run's settings that its receipt needs, with the run's defaults.

    Lengths are tokens, `batch_size` is pairs per optimizer step, `validation_fraction` the share of
    conversations that is held out where nothing else says which ones are;
    `evaluations_per_epoch` 0 is automatic (`evaluations_an_epoch`).
    """

    epochs: Annotated[int, Meta(ge=1, le=100)] = 3
    batch_size: Annotated[int, Meta(ge=1, le=4096)] = 16
    seed: Annotated[int, Meta(ge=0)] = 42
    max_seq_length: Annotated[int, Meta(ge=32)] = 4096
    max_too_long_fraction: Annotated[float, Meta(ge=0, le=1)] = 0.05
    prefix_merge: Literal["auto", "off"] = "auto"
    template_variables: dict[str, Any] = {}
    validation_fraction: Fraction = 0.1
    evaluations_per_epoch: Annotated[int, Meta(ge=0, le=100)] = 0
