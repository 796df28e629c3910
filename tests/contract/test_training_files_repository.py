"""The contract of the training file repository, in memory and in DynamoDB."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from brightrun.core.errors import DuplicateKeyError, NotFoundError, VersionConflictError
from brightrun.training_files.model import (
    Build,
    QualitySummary,
    TrainingFile,
    TrainingFileVersion,
)
from brightrun.training_files.repository import DynamoTrainingFiles, TrainingFileRepository
from tests.aws import Aws
from tests.builders import OWNER, STRANGER
from tests.fakes.training_files import InMemoryTrainingFiles


@pytest.fixture(params=["memory", "dynamodb"])
def repository(request: pytest.FixtureRequest) -> TrainingFileRepository:
    if request.param == "memory":
        return InMemoryTrainingFiles()
    aws = request.getfixturevalue("aws")
    return DynamoTrainingFiles(aws.dynamodb, "TrainingFilesTable")


def a_version(number: int = 1) -> TrainingFileVersion:
    return TrainingFileVersion(
        version=number,
        created_at=f"2026-11-2{number}T12:00:00.000Z",
        created_by=OWNER,
        json_key=f"file-1/v{number}/a/training.json",
        jsonl_key=f"file-1/v{number}/a/training.jsonl",
        json_file_size=1000,
        jsonl_file_size=900,
        json_sha256="ab" * 32,
        jsonl_sha256="cd" * 32,
        conversation_count=2 * number,
        added_conversations=2,
        total_training_pairs=16 * number,
        trainable_pairs=8 * number,
        quality=QualitySummary(scored=2, total=7.5, lowest=3.5, highest=4.0, human_reviewed=1),
    )


def a_file(file_id: str = "file-1", name: str = "First", owner: str = OWNER) -> TrainingFile:
    return TrainingFile(
        owner_id=owner,
        file_id=file_id,
        name=name,
        description="",
        created_at="2026-11-21T12:00:00.000Z",
        updated_at="2026-11-21T12:00:00.000Z",
        created_by=owner,
        versions=[a_version()],
        scaffolding_distribution={"personas": {"anxious_planner": 2}, "emotional_arcs": {}},
    )


def a_build(version: int = 2, **changes: Any) -> Build:
    fields: dict[str, Any] = {
        "attempt": "attempt-1",
        "version": version,
        "status": "building",
        "total": 4,
        "started_at": "2026-11-21T12:00:00.000Z",
        "updated_at": "2026-11-21T12:00:00.000Z",
    }
    return Build(**{**fields, **changes})


READY = a_build(status="ready")


def test_a_file_is_read_as_it_was_stored(repository: TrainingFileRepository) -> None:
    repository.add(a_file())
    assert repository.training_file(OWNER, "file-1") == a_file()


@pytest.mark.parametrize("taken", ["First", "  first ", "FIRST"])
def test_a_name_belongs_to_one_file_of_an_owner(
    repository: TrainingFileRepository, taken: str
) -> None:
    repository.add(a_file())
    assert not repository.name_is_free(OWNER, taken)
    with pytest.raises(DuplicateKeyError) as refusal:
        repository.add(a_file("file-2", taken))
    assert refusal.value.details == {"name": taken}
    with pytest.raises(NotFoundError):
        repository.training_file(OWNER, "file-2")


def test_another_owner_may_use_the_name(repository: TrainingFileRepository) -> None:
    repository.add(a_file())
    assert repository.name_is_free(STRANGER, "First")
    repository.add(a_file("file-2", owner=STRANGER))
    assert repository.training_file(STRANGER, "file-2").name == "First"


def test_another_owners_file_is_not_found(repository: TrainingFileRepository) -> None:
    repository.add(a_file())
    with pytest.raises(NotFoundError):
        repository.training_file(STRANGER, "file-1")
    assert repository.training_files(STRANGER, limit=10, cursor=None).records == ()


def test_a_file_grows_by_a_version_and_keeps_the_older_one(
    repository: TrainingFileRepository,
) -> None:
    repository.add(a_file())
    grown = a_file().grown(a_version(2), {"personas": {"anxious_planner": 4}}, READY)
    repository.replace(grown, a_file())
    stored = repository.training_file(OWNER, "file-1")
    assert stored == grown
    assert stored.versions[0] == a_version()
    assert stored.newest.conversation_count == 4


def test_a_version_on_top_of_an_older_one_is_refused_with_the_present_state(
    repository: TrainingFileRepository,
) -> None:
    repository.add(a_file())
    repository.replace(a_file().grown(a_version(2), {}, READY), a_file())
    with pytest.raises(VersionConflictError) as refusal:
        repository.replace(a_file().grown(a_version(2), {"personas": {"x": 1}}, READY), a_file())
    assert refusal.value.details == {
        "version": 2,
        "conversation_count": 4,
        "updated_at": "2026-11-22T12:00:00.000Z",
        "build": dataclasses.asdict(READY),
    }
    assert repository.training_file(OWNER, "file-1").scaffolding_distribution == {}


def test_a_file_without_a_version_is_kept_with_its_build(
    repository: TrainingFileRepository,
) -> None:
    left_out = {"left_out": {"unknown": 1}, "examples": {"unknown": ["conversation-1"]}}
    begun = dataclasses.replace(a_file(), versions=[], version=0, build=a_build(1, **left_out))
    repository.add(begun)
    stored = repository.training_file(OWNER, "file-1")
    assert (stored, stored.status, stored.newest.version) == (begun, "building", 0)


@pytest.mark.parametrize(
    "now",
    [a_build(checkpoint="2"), a_build(attempt="attempt-2"), a_build(status="failed")],
    ids=["further", "another", "failed"],
)
def test_a_build_that_went_on_meanwhile_is_not_overwritten(
    repository: TrainingFileRepository, now: Build
) -> None:
    seen = dataclasses.replace(a_file(), build=a_build())
    repository.add(a_file())
    repository.replace(seen, a_file())
    repository.replace(dataclasses.replace(seen, build=now), seen)
    with pytest.raises(VersionConflictError):
        repository.replace(dataclasses.replace(seen, build=a_build(checkpoint="3")), seen)
    assert repository.training_file(OWNER, "file-1").build == now


def test_files_are_listed_newest_first_by_pages(repository: TrainingFileRepository) -> None:
    for number in (1, 3, 2):
        repository.add(a_file(f"file-{number}", f"Name {number}"))
    first = repository.training_files(OWNER, limit=2, cursor=None)
    rest = repository.training_files(OWNER, limit=2, cursor=first.next_cursor)
    names = [file.file_id for file in (*first.records, *rest.records)]
    assert names == ["file-3", "file-2", "file-1"]
    assert rest.next_cursor is None


def test_of_two_concurrent_files_of_one_name_exactly_one_is_stored(aws: Aws) -> None:
    repository = DynamoTrainingFiles(aws.dynamodb, "TrainingFilesTable")
    barrier = Barrier(2)

    def make(file_id: str) -> bool:
        barrier.wait()
        try:
            repository.add(a_file(file_id))
        except DuplicateKeyError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        stored = list(threads.map(make, ["file-1", "file-2"]))
    assert sorted(stored) == [False, True]
    assert len(repository.training_files(OWNER, limit=10, cursor=None).records) == 1


def test_of_two_concurrent_additions_exactly_one_is_stored(aws: Aws) -> None:
    repository = DynamoTrainingFiles(aws.dynamodb, "TrainingFilesTable")
    repository.add(a_file())
    barrier = Barrier(2)

    def grow(persona: str) -> bool:
        barrier.wait()
        try:
            repository.replace(
                a_file().grown(a_version(2), {"personas": {persona: 1}}, READY), a_file()
            )
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        stored = list(threads.map(grow, ["anxious_planner", "pragmatic_optimist"]))
    assert sorted(stored) == [False, True]
    assert len(repository.training_file(OWNER, "file-1").versions) == 2
