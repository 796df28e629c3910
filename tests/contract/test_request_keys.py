"""What every store of Idempotency-Keys promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from brightrun.aws.request_keys import DynamoRequestKeys, RequestKeys
from brightrun.core.errors import IdempotencyKeyReusedError
from tests.builders import OWNER, STRANGER
from tests.fakes.external_services import InMemoryKeys

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "dynamodb"])
def keys(request: pytest.FixtureRequest) -> RequestKeys:
    if request.param == "memory":
        return InMemoryKeys()
    return DynamoRequestKeys(request.getfixturevalue("aws").dynamodb, "IdempotencyTable")


def test_the_first_request_binds_its_key_and_the_next_one_finds_its_job(keys: RequestKeys) -> None:
    assert keys.job_for(OWNER, "key", "order", "job-1", NOW) == "job-1"
    assert keys.job_for(OWNER, "key", "order", "job-2", NOW) == "job-1"


def test_a_key_is_its_owners_own(keys: RequestKeys) -> None:
    keys.job_for(OWNER, "key", "order", "job-1", NOW)
    assert keys.job_for(STRANGER, "key", "another", "job-2", NOW) == "job-2"


def test_another_request_with_the_key_is_refused(keys: RequestKeys) -> None:
    keys.job_for(OWNER, "key", "order", "job-1", NOW)
    with pytest.raises(IdempotencyKeyReusedError):
        keys.job_for(OWNER, "key", "another", "job-2", NOW)


@pytest.mark.parametrize("kind", ["memory", "dynamodb"])
def test_keys_can_be_kept_for_longer(kind: str, request: pytest.FixtureRequest) -> None:
    month = timedelta(days=30)
    keys: RequestKeys = InMemoryKeys(month)
    if kind == "dynamodb":
        database = request.getfixturevalue("aws").dynamodb
        keys = DynamoRequestKeys(database, "IdempotencyTable", month)
    keys.job_for(OWNER, "key", "order", "job-1", NOW)
    assert keys.find(OWNER, "key", "order", NOW + month) == "job-1"
    assert keys.find(OWNER, "key", "order", NOW + month + timedelta(seconds=1)) is None


def test_after_a_day_a_key_is_free_again(keys: RequestKeys) -> None:
    keys.job_for(OWNER, "key", "order", "job-1", NOW)
    later = NOW + timedelta(hours=24, seconds=1)
    assert keys.job_for(OWNER, "key", "another", "job-2", later) == "job-2"


def test_the_key_of_a_job_that_was_given_up_is_rebound_by_one_of_two(keys: RequestKeys) -> None:
    keys.job_for(OWNER, "key", "order", "job-1", NOW)
    assert keys.rebind(OWNER, "key", "order", "job-2", "job-1", NOW) == "job-2"
    assert keys.rebind(OWNER, "key", "order", "job-3", "job-1", NOW) == "job-2"
    assert keys.job_for(OWNER, "key", "order", "job-4", NOW) == "job-2"


def test_a_key_is_found_with_its_job_while_it_is_bound(keys: RequestKeys) -> None:
    assert keys.find(OWNER, "key", "order", NOW) is None
    keys.job_for(OWNER, "key", "order", "job-1", NOW)
    assert keys.find(OWNER, "key", "order", NOW) == "job-1"
    assert keys.find(STRANGER, "key", "order", NOW) is None
    assert keys.find(OWNER, "key", "order", NOW + timedelta(hours=24, seconds=1)) is None
    with pytest.raises(IdempotencyKeyReusedError):
        keys.find(OWNER, "key", "another", NOW)
