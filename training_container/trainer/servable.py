"""Refuses what vLLM does not serve: before the first step, and again of the written files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from brightrun.sft.errors import ModelError, TrainingError
from brightrun.sft.servable import modules_complaint

ALL_LINEAR = "all-linear"
"""PEFT's name for every linear module but the output layer."""


def require_modules(modules: Iterable[str], refusal: type[TrainingError]) -> None:
    """Raise `refusal` that names every module, by the end of its path, that vLLM does not adapt."""
    if complaint := modules_complaint(modules):
        raise refusal(complaint)


def require_attached(model: Any) -> None:
    """Check what PEFT has really attached and unfrozen; raises ModelError.

    `all-linear` takes every linear module that a model has, servable or not.
    """
    require_modules(model.targeted_module_names, ModelError)
    others = [
        name for name, p in model.named_parameters() if p.requires_grad and "lora_" not in name
    ]
    if others:
        raise ModelError(
            f"{others[0]} would be trained beside the adapter; vLLM serves LoRA alone."
        )
