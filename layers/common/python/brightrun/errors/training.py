"""Failures of estimating and training, branches of the tree that errors/__init__.py shows.

InvalidInputError
├── UnknownBaseModelError             no base model of the registry has that key
└── UntrainableGpuError               a GPU type that is estimated, never trained on
ConflictError
├── DatasetNotReadyError              the dataset cannot be trained on, or not yet
├── TokenizerMissingError             the base model's tokenizer was not put where it belongs
├── UntrainableError                  the trainer would refuse the dataset or the base model
└── JobEndedError                     the training job has ended; nothing can be done to it
BrightRunError
├── NoCapacityError                   SageMaker has no instance for the job, or no quota; wait
├── TrainingRequestError              SageMaker refuses the job for good
└── UnusableAdapterError              what the training left is no adapter that can be delivered
"""

from __future__ import annotations

from collections.abc import Sequence

from brightrun.errors import BrightRunError, ConflictError, InvalidInputError


class UnknownBaseModelError(InvalidInputError):
    """No base model of the registry has that key; names those there are."""

    code = "unknown_base_model"

    def __init__(self, key: str, known: Sequence[str]) -> None:
        message = f"'{key}' is not known; use one of {', '.join(known)}."
        super().__init__(
            f"base_model: {message}", details=[{"field": "base_model", "message": message}]
        )


class UntrainableGpuError(InvalidInputError):
    """A GPU type that a job can be estimated for, but not trained on; says why."""

    code = "untrainable_gpu"

    def __init__(self, gpu_type: str, reason: str) -> None:
        super().__init__(
            f"gpu_config.type: {gpu_type}: {reason}",
            details=[{"field": "gpu_config.type", "message": reason}],
        )


class DatasetNotReadyError(ConflictError):
    """The dataset cannot be trained on now; details carry its state."""

    code = "dataset_not_ready"


class TokenizerMissingError(ConflictError):
    """The base model's tokenizer is not in the bucket of base models; says how to put it there."""

    code = "tokenizer_missing"


class UntrainableError(ConflictError):
    """The trainer would refuse the dataset's rows, or the base model's chat template; says why."""

    code = "untrainable"


class JobEndedError(ConflictError):
    """The training job has ended, so that its status stays; details carry its state."""

    code = "job_ended"


class NoCapacityError(BrightRunError):
    """SageMaker has no instance for the job now, or the account no quota; waiting helps."""

    code = "no_capacity"


class TrainingRequestError(BrightRunError):
    """SageMaker refuses the training job as it was asked for; trying again does not help."""

    code = "training_request_refused"


class UnusableAdapterError(BrightRunError):
    """What a training job left is not an adapter that can be delivered; says what is wrong."""

    code = "unusable_adapter"
