"""Which modules of a base model an adapter may train: those that vLLM serves."""

from __future__ import annotations

from collections import Counter

from brightrun.catalog.base_models import BaseModelEntry
from brightrun.catalog.presets import ALL_LINEAR
from brightrun.core.errors import InvalidInputError


def require_servable(model: BaseModelEntry, target_modules: str) -> None:
    """Raise InvalidInputError for target modules that PEFT would train and vLLM not serve.

    `target_modules` is ALL_LINEAR, or names separated by commas. Names are exact: PEFT reads a
    pattern as one, and a pattern that also matches the output layer cannot be told from a typo.
    """
    if target_modules == ALL_LINEAR:
        return
    names = target_modules.split(",")
    unknown = [name for name in dict.fromkeys(names) if name not in model.target_modules]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if not any(names):
        fault = "names no module"
    elif unknown:
        fault = f"{', '.join(map(repr, unknown))}: vLLM adapts no such module of {model.key}"
    elif repeated:
        fault = f"{', '.join(map(repr, repeated))}: named more than once"
    else:
        return
    raise InvalidInputError.of_field(
        "hyperparameters.target_modules",
        f"{fault}. Use {ALL_LINEAR} alone, which is the default, or some of "
        f"{', '.join(model.target_modules)}.",
    )
