"""What every store of conversation rows promises: the one in memory and the one in DynamoDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from brightrun.conversations.digests import Change, ConversationDigest
from brightrun.conversations.repository import ConversationRepository, DynamoConversations
from brightrun.core.errors import DuplicateKeyError, NotFoundError, VersionConflictError
from tests.aws import Aws
from tests.builders import OWNER, STRANGER
from tests.fakes.conversations import InMemoryConversations, a_digest, a_record


@pytest.fixture(params=["memory", "dynamodb"])
def repository(request: pytest.FixtureRequest) -> ConversationRepository:
    if request.param == "memory":
        return InMemoryConversations()
    aws = request.getfixturevalue("aws")
    return DynamoConversations(aws.dynamodb, "ConversationsTable")


def test_a_row_comes_back_as_it_was_stored(repository: ConversationRepository) -> None:
    record = a_record(
        quality_score=4.0,
        quality_reasons=["It answers the question."],
        quality_criteria={"empathy_score": 3.5, "brand_voice_alignment": None},
        flags=["crisis_content"],
        flag_details=[{"code": "crisis_content", "turn_number": 2}],
        enrichment_stages={"fetch": {"status": "completed", "error": None}},
        validation_report={"isValid": True, "blockers": []},
        revisions=[{"version": 1, "turn_number": 2}],
    )
    repository.add(record)
    stored = repository.conversation(OWNER, record.conversation_id)
    assert stored == record
    assert isinstance(stored.quality_score, float)


def test_a_row_from_before_flags_had_turns_still_loads(aws: Aws) -> None:
    repository = DynamoConversations(aws.dynamodb, "ConversationsTable")
    repository.add(a_record(flags=["crisis_content"]))
    aws.dynamodb.update_item(
        TableName="ConversationsTable",
        Key={"owner_id": {"S": OWNER}, "conversation_id": {"S": "conversation-1"}},
        UpdateExpression="REMOVE flag_details",
    )
    stored = repository.conversation(OWNER, "conversation-1")
    assert (stored.flags, stored.flag_details) == (["crisis_content"], [])


def test_a_second_row_of_the_same_id_is_refused(repository: ConversationRepository) -> None:
    repository.add(a_record())
    with pytest.raises(DuplicateKeyError):
        repository.add(a_record(conversation_name="Another"))
    assert repository.conversation(OWNER, "conversation-1") == a_record()


def test_a_row_is_replaced_under_the_next_version(repository: ConversationRepository) -> None:
    repository.add(a_record())
    given = repository.replace(a_record(status="approved"), 1)
    stored = repository.conversation(OWNER, "conversation-1")
    assert given == stored
    assert (stored.status, stored.version) == ("approved", 2)


def test_a_write_from_an_older_version_is_refused_with_the_present_state(
    repository: ConversationRepository,
) -> None:
    repository.add(a_record())
    repository.replace(a_record(status="approved"), 1)
    with pytest.raises(VersionConflictError) as refusal:
        repository.replace(a_record(status="rejected"), 1)
    assert refusal.value.details["version"] == 2
    assert refusal.value.details["status"] == "approved"
    assert repository.conversation(OWNER, "conversation-1").status == "approved"


def test_a_row_that_is_gone_cannot_be_replaced(repository: ConversationRepository) -> None:
    with pytest.raises(NotFoundError):
        repository.replace(a_record(), 1)


def test_another_owners_row_looks_like_none(repository: ConversationRepository) -> None:
    repository.add(a_record())
    with pytest.raises(NotFoundError):
        repository.conversation(STRANGER, "conversation-1")
    with pytest.raises(NotFoundError):
        repository.replace(a_record(owner_id=STRANGER), 1)


def test_of_two_writes_at_once_exactly_one_lands(aws: Aws) -> None:
    repository = DynamoConversations(aws.dynamodb, "ConversationsTable")
    repository.add(a_record())
    barrier = Barrier(2)

    def review(status: str) -> bool:
        barrier.wait()
        try:
            repository.replace(a_record(status=status), 1)
        except VersionConflictError:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        landed = list(threads.map(review, ["approved", "rejected"]))
    assert sorted(landed) == [False, True]


def test_rows_are_read_by_their_ids_in_that_order(repository: ConversationRepository) -> None:
    for number in range(130):
        repository.add(a_record(f"c-{number}", turn_count=number))
    repository.add(a_record("c-other", owner_id=STRANGER))
    ids = [f"c-{number}" for number in (129, 7, 128, *range(20, 120))]
    found = repository.records(OWNER, ["c-other", *ids, "missing"])
    assert [row.conversation_id for row in found] == ids
    assert [row.turn_count for row in found[:3]] == [129, 7, 128]
    assert repository.records(OWNER, []) == []


def changed(repository: ConversationRepository, since: str | None = None) -> list[Change]:
    return [change for page in repository.changes(OWNER, since) for change in page]


def test_changes_come_oldest_first_from_the_time_asked_for(
    repository: ConversationRepository,
) -> None:
    for day in (1, 3, 2):
        repository.add(a_record(f"c-{day}", updated_at=f"2026-11-0{day}T00:00:00.000Z"))
    assert [one.conversation_id for one in changed(repository)] == ["c-1", "c-2", "c-3"]
    later = changed(repository, "2026-11-02T00:00:00.000Z")
    assert [one.conversation_id for one in later] == ["c-2", "c-3"]


def test_a_row_that_was_written_again_is_one_change(repository: ConversationRepository) -> None:
    repository.add(a_record(updated_at="2026-11-01T00:00:00.000Z"))
    repository.replace(a_record(status="approved", updated_at="2026-11-05T00:00:00.000Z"), 1)
    (change,) = changed(repository)
    assert isinstance(change, ConversationDigest)
    assert (change.status, change.version) == ("approved", 2)


def test_a_digest_says_what_its_row_says(repository: ConversationRepository) -> None:
    record = a_record(quality_score=4.0, simulated=True, flags=["guarantee"])
    repository.add(record)
    repository.add(a_record(owner_id=STRANGER))
    (digest,) = changed(repository)
    assert digest == a_digest(record)
    assert isinstance(digest, ConversationDigest)
    assert isinstance(digest.quality_score, float)


def test_a_digest_lacks_a_score_where_its_row_does(repository: ConversationRepository) -> None:
    repository.add(a_record())
    assert changed(repository) == [a_digest(a_record())]


def test_what_is_left_to_enrich_of_a_job_is_found(repository: ConversationRepository) -> None:
    since = "2026-11-21T00:00:00.000Z"
    repository.add(a_record("left"))
    repository.add(a_record("halfway", enrichment_status="enriched"))
    repository.add(a_record("done", enrichment_status="completed"))
    repository.add(a_record("refused", enrichment_status="validation_failed"))
    repository.add(a_record("of-another-job", batch_job_id="job-2"))
    repository.add(a_record("of-another-owner", owner_id=STRANGER))
    repository.add(a_record("earlier", updated_at="2026-11-20T23:59:59.999Z"))
    found = {row.conversation_id for row in repository.unenriched(OWNER, "job-1", since)}
    assert found == {"left", "halfway"}
