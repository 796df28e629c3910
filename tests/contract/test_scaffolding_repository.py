"""What every store of scaffolding promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import boto3
import pytest
from moto import mock_aws

from brightrun.core.errors import (
    ConflictError,
    DuplicateKeyError,
    StorageError,
    VersionConflictError,
)
from brightrun.scaffolding.builtin import builtin_records
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    Record,
    TrainingTopic,
)
from brightrun.scaffolding.repository import DynamoScaffolding, ScaffoldingRepository
from tests.aws import isolate
from tests.fakes import scaffolding as build

OWNER, OTHER = "owner-1", "owner-2"


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoScaffolding]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        isolate(client)
        client.create_table(
            TableName="scaffolding",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "owner_kind", "KeyType": "HASH"},
                {"AttributeName": "id", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "owner_kind", "AttributeType": "S"},
                {"AttributeName": "id", "AttributeType": "S"},
            ],
        )
        yield DynamoScaffolding(client, "scaffolding")


@pytest.fixture(params=["memory", "dynamodb"])
def repository(request: pytest.FixtureRequest) -> ScaffoldingRepository:
    if request.param == "memory":
        return build.InMemoryScaffolding()
    stored: ScaffoldingRepository = request.getfixturevalue("dynamodb")
    return stored


def own_persona(key: str = "new_saver", **changes: object) -> Persona:
    fields = {"id": f"id-of-{key}", "persona_key": key, "origin": "own", **changes}
    return build.persona().model_copy(update=fields)


def edited(record: Record, version: int, name: str) -> Record:
    return record.model_copy(update={"version": version, "origin": "edited", "name": name})


def test_nothing_is_stored_at_first(repository: ScaffoldingRepository) -> None:
    assert repository.owned(OWNER, Persona) == ()


@pytest.mark.parametrize("kind", [Persona, EmotionalArc, TrainingTopic, PromptTemplate, Consultant])
def test_every_kind_comes_back_as_it_was_stored(
    repository: ScaffoldingRepository, kind: type[Record]
) -> None:
    shipped = builtin_records(kind)[0]
    record = shipped.model_copy(update={"version": 2, "origin": "edited", "updated_at": "now"})
    repository.replace(OWNER, shipped, record)
    assert repository.owned(OWNER, kind) == (record,)


def test_records_are_kept_apart_by_owner_and_by_kind(repository: ScaffoldingRepository) -> None:
    repository.add(OWNER, own_persona())
    assert repository.owned(OTHER, Persona) == ()
    assert repository.owned(OWNER, TrainingTopic) == ()
    repository.add(OTHER, own_persona())
    assert repository.owned(OTHER, Persona) == (own_persona(),)


def test_records_come_in_the_order_of_their_ids(repository: ScaffoldingRepository) -> None:
    for key in ("c", "a", "b"):
        repository.add(OWNER, own_persona(key))
    assert [one.key for one in repository.owned(OWNER, Persona)] == ["a", "b", "c"]


def test_a_second_record_of_the_same_key_is_refused(repository: ScaffoldingRepository) -> None:
    repository.add(OWNER, own_persona())
    with pytest.raises(DuplicateKeyError) as refusal:
        repository.add(OWNER, own_persona(id="another-id"))
    assert refusal.value.details == {"persona_key": "new_saver"}
    assert repository.owned(OWNER, Persona) == (own_persona(),)


def test_the_first_edit_of_a_built_in_record_wins(repository: ScaffoldingRepository) -> None:
    shipped = build.persona()
    first = edited(shipped, 2, "First")
    repository.replace(OWNER, shipped, first)
    with pytest.raises(VersionConflictError) as refusal:
        repository.replace(OWNER, shipped, edited(shipped, 2, "Second"))
    assert refusal.value.details["name"] == "First"
    assert repository.owned(OWNER, Persona) == (first,)


def test_an_edit_of_a_stale_version_is_refused_with_the_current_one(
    repository: ScaffoldingRepository,
) -> None:
    shipped = build.persona()
    second, third = edited(shipped, 2, "Second"), edited(shipped, 3, "Third")
    repository.replace(OWNER, shipped, second)
    repository.replace(OWNER, second, third)
    with pytest.raises(VersionConflictError) as refusal:
        repository.replace(OWNER, second, edited(shipped, 3, "Late"))
    assert refusal.value.details == third.model_dump(mode="json")


def test_an_edit_of_an_own_record_keeps_its_key(repository: ScaffoldingRepository) -> None:
    made = own_persona()
    repository.add(OWNER, made)
    repository.replace(OWNER, made, made.model_copy(update={"version": 2, "is_active": False}))
    with pytest.raises(DuplicateKeyError):
        repository.add(OWNER, own_persona(id="another-id"))


def test_of_many_edits_at_once_one_wins(dynamodb: DynamoScaffolding) -> None:
    shipped, ready = build.persona(), Barrier(8)

    def race(number: int) -> bool:
        ready.wait()
        try:
            dynamodb.replace(OWNER, shipped, edited(shipped, 2, f"Writer {number}"))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(8))) == 1


def test_of_many_creations_of_one_key_at_once_one_wins(dynamodb: DynamoScaffolding) -> None:
    ready = Barrier(8)

    def race(number: int) -> bool:
        ready.wait()
        try:
            dynamodb.add(OWNER, own_persona(id=f"id-{number}"))
        except DuplicateKeyError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(race, range(8))) == 1
    assert len(dynamodb.owned(OWNER, Persona)) == 1


def test_more_than_a_page_of_records_is_read_whole(dynamodb: DynamoScaffolding) -> None:
    long_text = "x" * 20_000
    for number in range(60):
        dynamodb.add(
            OWNER,
            build.template().model_copy(
                update={
                    "id": f"{number:03}",
                    "template_name": f"Template {number:03}",
                    "template_text": long_text,
                    "origin": "own",
                }
            ),
        )
    assert len(dynamodb.owned(OWNER, PromptTemplate)) == 60


def test_a_table_that_is_not_there_is_a_storage_error(dynamodb: DynamoScaffolding) -> None:
    lost = DynamoScaffolding(boto3.client("dynamodb", region_name="us-east-1"), "elsewhere")
    with pytest.raises(StorageError):
        lost.owned(OWNER, Persona)
