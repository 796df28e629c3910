"""RunConfig: every setting of one training run, checked once; recipes are named sets of them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from brightrun.sft.settings import (
    DatasetSettings,
    Fraction,
    date_complaint,
    variables_complaint,
)
from training_container.trainer.errors import ConfigError
from training_container.trainer.servable import ALL_LINEAR, require_modules

RECIPES_DIR = Path(__file__).resolve().parent.parent / "recipes"

Positive = Annotated[float, Meta(gt=0)]


class RunConfig(DatasetSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run's settings. Unknown keys and values out of range raise ConfigError."""

    base_model: str = ""
    base_model_revision: str = ""
    dataset_sha256: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$")] = ""
    method: Literal["lora", "rslora", "qlora"] = "lora"
    rank: Annotated[int, Meta(ge=1, le=512)] = 16
    alpha: Annotated[int, Meta(ge=1, le=4096)] = 32
    dropout: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    target_modules: str = ALL_LINEAR

    learning_rate: Annotated[float, Meta(gt=0, le=0.1)] = 2e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup_fraction: Fraction = 0.03
    weight_decay: Annotated[float, Meta(ge=0, le=1)] = 0.0
    max_grad_norm: Positive = 1.0

    tokens_per_microbatch: Annotated[int, Meta(ge=0)] = 0
    gradient_checkpointing: Literal["auto", "on", "off"] = "auto"

    early_stopping_patience: Annotated[int, Meta(ge=0)] = 2
    early_stopping_min_delta: Annotated[float, Meta(ge=0)] = 0.0
    checkpoint_every_steps: Annotated[int, Meta(ge=1)] = 50

    max_seconds: Positive | None = None
    max_cost_usd: Positive | None = None
    price_usd_per_hour: Positive | None = None
    finish_reserve_seconds: Annotated[float, Meta(ge=0)] = 60.0

    def __post_init__(self) -> None:
        if self.target_modules != ALL_LINEAR:
            require_modules(self.target_modules.split(","), ConfigError)
        if self.max_cost_usd is not None and self.price_usd_per_hour is None:
            message = "max_cost_usd needs price_usd_per_hour, the price of all instances together"
            raise ConfigError(f"{message}; pass both or neither.")
        for complaint in (
            variables_complaint(self.template_variables),
            date_complaint(self.template_date),
        ):
            if complaint:
                raise ConfigError(complaint)

    def budget_seconds(self) -> float | None:
        """Seconds the run may last, from whichever limit comes first; None without limits."""
        limits = [] if self.max_seconds is None else [self.max_seconds]
        if self.max_cost_usd is not None and self.price_usd_per_hour is not None:
            limits.append(self.max_cost_usd / self.price_usd_per_hour * 3600)
        return min(limits) if limits else None

    def trajectory(self) -> dict[str, Any]:
        """The settings that decide the losses: a checkpoint resumes only where these are equal."""
        free = {
            "tokens_per_microbatch", "gradient_checkpointing",
            "checkpoint_every_steps", "max_seconds", "max_cost_usd", "price_usd_per_hour",
            "finish_reserve_seconds",
        }  # fmt: skip
        return {key: value for key, value in msgspec.to_builtins(self).items() if key not in free}


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A named starting point: the instance it was sized for and the settings for it."""

    description: Annotated[str, Meta(min_length=10)]
    instance_type: Annotated[str, Meta(pattern=r"^(ml\.[a-z0-9-]+\.[a-z0-9]+|local_cpu)$")]
    instance_count: Annotated[int, Meta(ge=1)] = 1
    training: dict[str, Any]


def load_recipe(path: Path) -> Recipe:
    """One recipe file; ConfigError names the file and the field when it cannot be used."""
    import yaml

    try:
        recipe = msgspec.convert(yaml.safe_load(path.read_bytes()), Recipe)
        run_config(recipe.training)
    except (msgspec.ValidationError, yaml.YAMLError, ConfigError) as error:
        raise ConfigError(f"recipe {path.name}: {error}") from error
    return recipe


def run_config(settings: Mapping[str, Any]) -> RunConfig:
    """Settings (numbers may be strings) as a RunConfig; ConfigError says which one is wrong."""
    known = RunConfig.__struct_fields__
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ConfigError(f"'{key}' is not a setting of the trainer{hint}")
    try:
        return msgspec.convert(dict(settings), RunConfig, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{error}; {_given(str(error), settings)}") from error


def _given(message: str, settings: Mapping[str, Any]) -> str:
    name = message.rpartition("$.")[2].strip("`")
    return f"got {settings.get(name)!r}. The table in training_container/README.md has the ranges."


def recipe_settings(name: str) -> dict[str, Any]:
    """The settings of a recipe by its file name without .yaml; ConfigError lists the others."""
    path = RECIPES_DIR / f"{name}.yaml"
    names = sorted(file.stem for file in RECIPES_DIR.glob("*.yaml"))
    if name not in names:
        raise ConfigError(f"there is no recipe '{name}'; there are: {', '.join(names)}")
    return load_recipe(path).training
