"""DatasetSettings: what of a run's settings decides how its dataset is counted and ordered."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Fraction = Annotated[float, Meta(ge=0, le=0.5)]

TEMPLATE_DATE = "2024-07-26"
"""The day that chat templates take for today unless a run says otherwise.

A constant, so that a receipt, a training job and its resumption agree on every day. Llama 3's
templates name this day themselves where they have no clock.
"""

LONGEST_VARIABLES = 2_000
"""Characters of all template variables as JSON; SageMaker takes 2,500 in a hyperparameter."""

RESERVED_VARIABLES = frozenset(
    {"messages", "conversation", "add_generation_prompt", "continue_final_message", "chat_template",
     "tools", "documents", "tokenize", "padding", "truncation", "max_length", "return_tensors",
     "return_dict", "return_assistant_tokens_mask", "tokenizer_kwargs", "processor_kwargs",
     "raise_exception", "strftime_now", "namespace", "dict", "range", "cycler", "joiner", "lipsum",
     "self", "loop", "caller", "varargs", "kwargs"}
)  # fmt: skip
"""Names that mean something else to a chat template, to jinja2, or to `apply_chat_template`."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")

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
    conversations that is held out where nothing else says which ones are. `template_date` is the
    day that chat templates take for today, and `evaluations_per_epoch` 0 is automatic
    (`evaluations_an_epoch`).
    """

    epochs: Annotated[int, Meta(ge=1, le=100)] = 3
    batch_size: Annotated[int, Meta(ge=1, le=4096)] = 16
    seed: Annotated[int, Meta(ge=0)] = 42
    max_seq_length: Annotated[int, Meta(ge=32)] = 4096
    max_too_long_fraction: Annotated[float, Meta(ge=0, le=1)] = 0.05
    prefix_merge: Literal["auto", "off"] = "auto"
    template_variables: dict[str, Any] = {}
    template_date: str = TEMPLATE_DATE
    validation_fraction: Fraction = 0.1
    evaluations_per_epoch: Annotated[int, Meta(ge=0, le=100)] = 0


def variables_complaint(variables: Mapping[str, Any]) -> str | None:
    """What is wrong with variables for a chat template, in a sentence; None for usable ones.

    Values are JSON. One place says so for the API, the command line and the trainer.
    """
    for name in variables:
        if not _NAME.fullmatch(name):
            return (
                f"template_variables: {name[:80]!r} is no name of a variable; letters, digits and "
                "underscores make one, at most 64, a letter first."
            )
        if name in RESERVED_VARIABLES:
            return f"template_variables: '{name}' is not yours to set; leave it out."
    try:
        size = len(json.dumps(dict(variables), allow_nan=False))
        json.dumps(dict(variables), ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError):
        return "template_variables: the values must be JSON: finite numbers, whole characters."
    if size > LONGEST_VARIABLES:
        return (
            f"template_variables: they are {size} characters long as JSON, and at most "
            f"{LONGEST_VARIABLES} are allowed."
        )
    return None


def date_complaint(text: str) -> str | None:
    """What is wrong with a template_date, in a sentence; None for a day such as 2026-11-28."""
    try:
        usable = date.fromisoformat(text).isoformat() == text
    except ValueError:
        usable = False
    return None if usable else f"template_date: {text[:80]!r} is not a day such as 2026-11-28."
