"""Deleting a dataset, in steps that can be repeated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from brightrun.core.errors import DatasetInUseError, NotFoundError
from tests.builders import OWNER
from tests.unit.datasets.dataset_setup import Datasets


@pytest.fixture
def system() -> Datasets:
    return Datasets()


def test_everything_is_deleted(system: Datasets) -> None:
    dataset = system.confirmed()
    system.files.objects["owner-1/another/rows.jsonl"] = b"x"
    system.deleter.delete(OWNER, dataset.dataset_id)
    assert list(system.files.objects) == ["owner-1/another/rows.jsonl"]
    with pytest.raises(NotFoundError):
        system.now(dataset)


def test_an_open_multipart_upload_is_abandoned(system: Datasets) -> None:
    dataset = system.created(5, in_parts=True)
    system.deleter.delete(OWNER, dataset.dataset_id)
    assert system.files.uploads == {}


def test_a_dataset_in_use_loses_nothing(system: Datasets) -> None:
    dataset = system.confirmed()
    system.validate(dataset)
    system.rows.begin_job(dataset)
    with pytest.raises(DatasetInUseError, match=r"1 training job\(s\)"):
        system.deleter.delete(OWNER, dataset.dataset_id)
    assert dataset.storage_path in system.files.objects
    assert system.now(dataset).training_ready


@pytest.mark.parametrize("step", ["abandon_parts", "remove_all", "delete"])
def test_a_deletion_interrupted_anywhere_can_be_repeated(system: Datasets, step: str) -> None:
    dataset = system.created(5, in_parts=True)
    where = system.rows if step == "delete" else system.files
    whole: Callable[..., None] = getattr(where, step)
    setattr(where, step, lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        system.deleter.delete(OWNER, dataset.dataset_id)
    assert system.now(dataset).status == "error"
    assert "Delete it again" in str(system.now(dataset).error_message)
    setattr(where, step, whole)
    system.deleter.delete(OWNER, dataset.dataset_id)
    with pytest.raises(NotFoundError):
        system.now(dataset)


def test_a_validation_that_ends_meanwhile_does_not_stop_the_deletion(system: Datasets) -> None:
    dataset = system.confirmed()
    retire = system.rows.retire

    def after_another_write(*arguments: object) -> object:
        system.rows.retire = retire  # type: ignore[method-assign]
        assert system.validate(dataset) == "ready"
        return retire(*arguments)  # type: ignore[arg-type]

    system.rows.retire = after_another_write  # type: ignore[method-assign,assignment]
    system.deleter.delete(OWNER, dataset.dataset_id)
    assert system.files.objects == {}
