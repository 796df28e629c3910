"""Confirming that a file has arrived, once or several times."""

from __future__ import annotations

import pytest

from brightrun.core.errors import ActionNotAllowedError, UploadMissingError, UploadSizeError
from brightrun.datasets.model import PART_BYTES, VALIDATION_ENDS_WITHIN, Dataset
from tests.builders import OWNER
from tests.unit.datasets.dataset_setup import ROWS, Datasets


@pytest.fixture
def system() -> Datasets:
    return Datasets()


def test_a_confirmed_dataset_is_validated_by_its_etag(system: Datasets) -> None:
    dataset = system.confirmed()
    stored = system.files.stored(dataset.storage_path)
    assert stored is not None
    assert (dataset.status, dataset.etag) == ("validating", stored.etag)
    assert system.workflow.started == [f"{dataset.dataset_id}-1"]


def test_a_concurrent_confirmation_returns_the_same_validation(
    system: Datasets,
) -> None:
    dataset = system.created()
    system.files.objects[dataset.storage_path] = ROWS
    replace = system.rows.replace

    def after_another_write(changed: Dataset) -> Dataset:
        system.rows.replace = replace  # type: ignore[method-assign]
        system.confirmer.confirm(OWNER, dataset.dataset_id)
        return replace(changed)

    system.rows.replace = after_another_write  # type: ignore[method-assign,assignment]
    confirmed = system.confirmer.confirm(OWNER, dataset.dataset_id)
    assert (confirmed.validation_run, confirmed.version) == (1, 2)
    assert system.workflow.started == [f"{dataset.dataset_id}-1"]


def test_parts_are_assembled_once_though_the_confirmation_was_interrupted(
    system: Datasets, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = system.created(PART_BYTES + 1, in_parts=True)
    system.files.uploads[str(dataset.upload_id)].update({2: b"!", 1: b"x" * PART_BYTES})
    with monkeypatch.context() as patch:
        patch.setattr(system.rows, "replace", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            system.confirmer.confirm(OWNER, dataset.dataset_id)
    confirmed = system.confirmer.confirm(OWNER, dataset.dataset_id)
    assert confirmed.status == "validating"
    assert confirmed.upload_id is None
    assert system.files.objects[dataset.storage_path].endswith(b"x!")


def test_missing_parts_are_named(system: Datasets) -> None:
    dataset = system.created(2 * PART_BYTES, in_parts=True)
    with pytest.raises(UploadMissingError, match="Parts 1, 2 of the file"):
        system.confirmer.confirm(OWNER, dataset.dataset_id)
    system.files.uploads.clear()
    with pytest.raises(UploadMissingError, match="Parts 1, 2 of the file"):
        system.confirmer.confirm(OWNER, dataset.dataset_id)


def test_another_size_is_refused_with_both_numbers(system: Datasets) -> None:
    dataset = system.created(10)
    system.files.objects[dataset.storage_path] = b"12345678901"
    with pytest.raises(UploadSizeError, match="has 11 bytes, but 10 were declared"):
        system.confirmer.confirm(OWNER, dataset.dataset_id)
    assert system.now(dataset).status == "uploading"


def test_a_ready_dataset_is_unchanged(system: Datasets) -> None:
    dataset = system.confirmed()
    assert system.validate(dataset) == "ready"
    ready = system.now(dataset)
    assert system.confirmer.confirm(OWNER, dataset.dataset_id) == ready
    assert len(system.workflow.started) == 1


def test_a_running_validation_is_only_started_if_missing(system: Datasets) -> None:
    dataset = system.confirmed()
    system.workflow.started.clear()
    system.clock.now += VALIDATION_ENDS_WITHIN
    assert system.confirmer.confirm(OWNER, dataset.dataset_id) == dataset
    assert system.workflow.started == [f"{dataset.dataset_id}-1"]


def test_what_is_being_deleted_is_not_validated(system: Datasets) -> None:
    dataset = system.confirmed()
    system.rows.retire(dataset.retired("2026-11-21T12:00:00.000Z"))
    with pytest.raises(ActionNotAllowedError, match="being deleted"):
        system.confirmer.confirm(OWNER, dataset.dataset_id)
