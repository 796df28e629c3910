"""The SageMaker training contract: folders and hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training_container.launch import ml_root
from training_container.trainer.config import RunConfig, recipe_settings, run_config
from training_container.trainer.errors import ConfigError


@dataclass(frozen=True)
class JobPaths:
    """The folders of one job, all under one root."""

    root: Path
    environment: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> JobPaths:
        """The job's folders; makes those that the trainer writes to."""
        paths = cls(ml_root(environment), environment)
        for folder in (paths.model, paths.output_data, paths.checkpoints):
            folder.mkdir(parents=True, exist_ok=True)
        return paths

    def channel(self, name: str) -> Path:
        """The folder of an input channel; it may not exist."""
        override = self.environment.get(f"SM_CHANNEL_{name.upper()}")
        return Path(override) if override else self.root / "input" / "data" / name

    @property
    def hyperparameters(self) -> Path:
        """The job's hyperparameters, a JSON object of strings."""
        return self.root / "input" / "config" / "hyperparameters.json"

    @property
    def model(self) -> Path:
        """What SageMaker uploads as model.tar.gz."""
        return self.root / "model"

    @property
    def output_data(self) -> Path:
        """What SageMaker uploads as output.tar.gz."""
        return self.root / "output" / "data"

    @property
    def checkpoints(self) -> Path:
        """What SageMaker copies to S3 while the job runs, and back before a restart."""
        return self.root / "checkpoints"

    @property
    def job_name(self) -> str:
        """The name that SageMaker gives the job; `local` outside it."""
        return self.environment.get("TRAINING_JOB_NAME", "local")


def load_config(paths: JobPaths) -> RunConfig:
    """The run's settings: the recipe's, if one is named, overridden by the hyperparameters.

    SageMaker passes every value as a string and its SDK encodes some as JSON once more; both
    are read. Keys that begin with `sagemaker_` belong to the SDK and are ignored. Raises
    ConfigError.
    """
    if not paths.hyperparameters.is_file():
        raise ConfigError(f"{paths.hyperparameters} is missing; pass hyperparameters to the job.")
    try:
        given = json.loads(paths.hyperparameters.read_bytes())
    except ValueError as error:
        raise ConfigError(f"{paths.hyperparameters.name} is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ConfigError(f"{paths.hyperparameters.name} must hold a JSON object of strings.")
    settings = {
        key: _decoded(value) for key, value in given.items() if not key.startswith("sagemaker_")
    }
    recipe = settings.pop("recipe", "")
    return run_config({**(recipe_settings(recipe) if recipe else {}), **settings})


def _decoded(value: Any) -> Any:
    """A value out of its JSON string; numbers stay strings, because RunConfig reads those."""
    try:
        decoded = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return decoded if isinstance(decoded, str | list | dict) else value
