"""The job's dataset: reads, checks and splits the channels; the receipt uses the same code."""

from __future__ import annotations

import hashlib
from pathlib import Path

from brightrun.sft.data import DataReport, TrainingPair, dataset_files, read_pairs
from brightrun.sft.dataset import Dataset, prepare, refuse_unfit
from brightrun.sft.errors import DatasetError
from brightrun.sft.splits import (
    SPLIT_FILE,
    Sides,
    read_split,
    split_by_conversation,
    split_by_lines,
)
from brightrun.sft.templates import ChatFormat
from training_container.trainer.config import RunConfig
from training_container.trainer.contract import JobPaths


def load_dataset(paths: JobPaths, config: RunConfig, chat: ChatFormat) -> Dataset:
    """The dataset of the `training` channel, validated before any weight is loaded.

    A `validation` channel, where there is one, is used unchanged; a `split` channel names the
    held-out lines; otherwise conversations are held out by `validation_fraction`. Raises
    DatasetError when no answer is left to train on, when more than `max_too_long_fraction` of the
    pairs cannot fit, when the file is not the one that `dataset_sha256` names, and when the
    channels contradict each other.
    """
    folder = paths.channel("training")
    if config.dataset_sha256:
        _check_hash(_only_file(folder, "dataset_sha256"), config.dataset_sha256)
    report = DataReport()
    pairs = read_pairs(folder, report)
    train, held_out = _sides(paths, config, pairs, report)
    dataset = prepare(train, held_out, config, chat, report)
    refuse_unfit(dataset, config)
    return dataset


def _sides(
    paths: JobPaths, config: RunConfig, pairs: list[TrainingPair], report: DataReport
) -> Sides:
    validation, split = paths.channel("validation"), paths.channel("split")
    if validation.is_dir() and split.is_dir():
        raise DatasetError("there are a 'validation' and a 'split' channel; give only one.")
    if validation.is_dir():
        return pairs, read_pairs(validation, report)
    if split.is_dir():
        name = _only_file(paths.channel("training"), "the 'split' channel").name
        lines = next(file["lines"] for file in report.files if file["name"] == name)
        return split_by_lines(pairs, lines, read_split(_split_text(split)))
    return split_by_conversation(pairs, config.validation_fraction, config.seed)


def _split_text(folder: Path) -> bytes:
    path = folder / SPLIT_FILE
    if not path.is_file():
        raise DatasetError(f"the 'split' channel has no {SPLIT_FILE}; put it there.")
    return path.read_bytes()


def _only_file(folder: Path, wanted_by: str) -> Path:
    files = dataset_files(folder)
    if len(files) > 1:
        raise DatasetError(f"{wanted_by} needs one training file; there are {len(files)}.")
    return files[0]


def _check_hash(path: Path, wanted: str) -> None:
    with path.open("rb") as data:
        found = hashlib.file_digest(data, "sha256").hexdigest()
    if found != wanted:
        raise DatasetError(
            f"{path.name} is not the dataset that was validated: its SHA-256 is {found}, and "
            f"dataset_sha256 says {wanted}; start the job on the validated file."
        )
