"""Training presets, the ranges of hyperparameters, and defaults for what a request leaves out.

Values and ranges are v1's. A preset whose values a request changes becomes the preset "custom".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from brightrun.catalog.base_models import ALL_LINEAR
from brightrun.core.errors import InvalidInputError

PresetId = Literal["fast", "balanced", "quality", "custom"]


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The six hyperparameters of v1's presets, the longest sequence in tokens, the method, and when
    to stop early.

    `target_modules` is ALL_LINEAR, or names separated by commas, as the trainer takes it.
    `evaluations_per_epoch` is how often held-out rows are measured, 0 an automatic number of times;
    training ends after `early_stopping_patience` of them without improvement, 0 never.
    """

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float
    max_seq_length: int = 4096
    method: Literal["lora", "rslora", "qlora"] = "lora"
    target_modules: str = ALL_LINEAR
    evaluations_per_epoch: int = 0
    early_stopping_patience: int = 2


PRESETS: Mapping[PresetId, Hyperparameters] = MappingProxyType(
    {
        "fast": Hyperparameters(
            learning_rate=1e-4, batch_size=8, epochs=1, rank=8, alpha=16, dropout=0.05
        ),
        "balanced": Hyperparameters(
            learning_rate=5e-5, batch_size=4, epochs=3, rank=16, alpha=32, dropout=0.1
        ),
        "quality": Hyperparameters(
            learning_rate=3e-5, batch_size=2, epochs=5, rank=32, alpha=64, dropout=0.1
        ),
    }
)
DEFAULT_PRESET: PresetId = "balanced"
PRESET_IDS: tuple[PresetId, ...] = ("fast", "balanced", "quality", "custom")
RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "learning_rate": (1e-5, 1e-3),
        "batch_size": (1, 64),
        "epochs": (1, 20),
        "rank": (4, 128),
        "alpha": (1, 512),
        "dropout": (0.0, 0.5),
        "max_seq_length": (256, 32768),
        "evaluations_per_epoch": (0, 20),
        "early_stopping_patience": (0, 100),
    }
)
"""Lowest and highest value of each; the first four are v1's."""
REQUIRED = ("learning_rate", "batch_size", "epochs", "rank")
"""What a custom request must name; alpha defaults to twice the rank and dropout to 0.05."""
DEFAULT_DROPOUT = 0.05


def complete(preset_id: str | None, given: Mapping[str, Any]) -> tuple[PresetId, Hyperparameters]:
    """The hyperparameters of a request and their preset, "custom" if they differ from the preset.

    Values of `given` that are None count as not given. Raises InvalidInputError with each invalid
    field, its value and its range in `details`.
    """
    named = {name: value for name, value in given.items() if value is not None}
    if "target_modules" in named:
        named["target_modules"] = ",".join(named["target_modules"])
    preset = _preset_id(preset_id, named)
    values = _custom(named) if preset == "custom" else _with_changes(PRESETS[preset], named)
    check(values)
    if preset != "custom" and values != PRESETS[preset]:
        return "custom", values
    return preset, values


def check(values: Hyperparameters) -> None:
    """Raise InvalidInputError listing every value outside of RANGES."""
    problems = [
        _problem(name, f"{getattr(values, name):g} is outside of {low:g} to {high:g}.")
        for name, (low, high) in RANGES.items()
        if not low <= getattr(values, name) <= high
    ]
    if problems:
        raise _invalid(problems)


def _preset_id(requested: str | None, named: Mapping[str, Any]) -> PresetId:
    if requested is None:
        return "custom" if set(REQUIRED) <= set(named) else DEFAULT_PRESET
    for known in PRESET_IDS:
        if requested == known:
            return known
    message = f"'{requested}' is not known; use one of {', '.join(PRESET_IDS)}."
    raise InvalidInputError.of_field("preset_id", message)


def _custom(named: Mapping[str, Any]) -> Hyperparameters:
    missing = [name for name in REQUIRED if name not in named]
    if missing:
        problems = [_problem(name, "is required with the preset custom.") for name in missing]
        raise _invalid(problems)
    defaults = {"alpha": 2 * named["rank"], "dropout": DEFAULT_DROPOUT}
    return Hyperparameters(**{**defaults, **named})


def _with_changes(preset: Hyperparameters, named: Mapping[str, Any]) -> Hyperparameters:
    values = {name: getattr(preset, name) for name in Hyperparameters.__dataclass_fields__}
    if "rank" in named and named["rank"] != preset.rank and "alpha" not in named:
        # With the same alpha / rank, the learning rate suits another rank too.
        values["alpha"] = 2 * named["rank"]
    return Hyperparameters(**{**values, **named})


def _problem(name: str, message: str) -> dict[str, str]:
    return {"field": f"hyperparameters.{name}", "message": message}


def _invalid(problems: list[dict[str, str]]) -> InvalidInputError:
    sentence = " ".join(f"{problem['field']}: {problem['message']}" for problem in problems)
    return InvalidInputError(sentence, details=problems)
