"""The exceptions of the training container and the exit code of each.

TrainingError, DatasetError and ModelError are defined in brightrun.sft.errors.

TrainingError                  1
├── ConfigError                2   hyperparameters or recipe cannot be used
├── DatasetError               2   rows that cannot be trained on
├── ModelError                 2   base model, tokenizer or chat template cannot be used
├── BudgetError                2   the time or money allowed ends before the first step
├── DivergedError              1   the loss is no longer a number
├── CheckpointError            1   the checkpoint belongs to another run or is damaged
├── ArtifactError              1   the adapter did not pass its checks
└── StoppedBeforeFirstStepError  143   stopped when there was nothing to save yet

GpuUnavailableError (1) is in launch.py, which raises it where nothing can be imported.
"""

from __future__ import annotations

from brightrun.sft.errors import TrainingError


class ConfigError(TrainingError):
    """A hyperparameter or recipe that cannot be used as given."""

    exit_code = 2


class BudgetError(TrainingError):
    """The time or money allowed is used up before the first optimizer step."""

    exit_code = 2


class DivergedError(TrainingError):
    """The loss or the gradient is no longer finite."""


class CheckpointError(TrainingError):
    """The checkpoint was written by another run, or its files do not match their hashes."""


class ArtifactError(TrainingError):
    """The adapter that was written did not pass its checks."""


class StoppedBeforeFirstStepError(TrainingError):
    """The run was stopped before there was anything to save."""

    exit_code = 143
