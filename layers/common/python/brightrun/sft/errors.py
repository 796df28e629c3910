"""Why a dataset or a base model cannot be trained on; the trainer's other failures are its own."""

from __future__ import annotations


class TrainingError(Exception):
    """A failure with one sentence for people: what, where, and how to mend it.

    `exit_code` is that of a training process which ends with it.
    """

    exit_code = 1


class DatasetError(TrainingError):
    """Rows that cannot be trained on; names the file and line where there is one."""

    exit_code = 2


class SampleError(DatasetError):
    """A conversation that is too large for a sample; training on it is another question."""


class ModelError(TrainingError):
    """A base model, tokenizer or chat template that cannot be used."""

    exit_code = 2
