"""Creating training files and adding conversations to them."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest

from brightrun.conversations.model import ConversationRecord
from brightrun.core.errors import (
    DuplicateKeyError,
    NotFoundError,
    StorageError,
    TrainingFileFullError,
    UnfitConversationsError,
    VersionConflictError,
)
from brightrun.training_files import build_training_file, model
from brightrun.training_files.build_training_file import (
    ConversationSelection,
    ConversationSelector,
    TrainingFileBuilder,
)
from brightrun.training_files.model import TrainingFile
from tests.builders import OWNER, STRANGER, SteppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.training_files import (
    InMemoryTrainingFiles,
    an_enriched_record,
    an_enriched_text,
)


class World:
    """A builder with everything it needs in memory."""

    def __init__(self, *records: ConversationRecord) -> None:
        self.conversations = InMemoryConversations(*records)
        self.conversation_files = InMemoryObjects()
        for record in records:
            self.write(record.conversation_id)
        self.files = InMemoryTrainingFiles()
        self.objects = InMemoryObjects()
        attempts = count(1)
        self.builder = TrainingFileBuilder(
            files=self.files,
            selector=ConversationSelector(self.conversations, self.conversation_files),
            training_files=self.objects,
            clock=SteppedClock(),
            new_attempt=lambda: f"attempt-{next(attempts)}",
        )

    def write(self, conversation_id: str, *texts: str) -> None:
        path = f"owner-1/{conversation_id}/enriched.json"
        text = an_enriched_text(conversation_id, *texts)
        self.conversation_files.put(path, text, content_type="application/json")

    def create(self, *ids: str, name: str = "First", **options: Any) -> TrainingFile:
        return self.builder.create(
            OWNER, name=name, description="", selection=ConversationSelection(ids, **options)
        )

    def add(self, file: TrainingFile, *ids: str, **options: Any) -> TrainingFile:
        return self.builder.add(OWNER, file.file_id, ConversationSelection(ids, **options))

    def ids_in(self, file: TrainingFile, version: int | None = None) -> list[str]:
        found = file.numbered(version)
        assert found is not None
        stored = json.loads(self.objects.objects[found.json_key].text)
        return [one["conversation_metadata"]["conversation_id"] for one in stored["conversations"]]


def a_world(*ids: str, **changes: Any) -> World:
    return World(*(an_enriched_record(one, **changes) for one in ids))


def refusal(world: World, *ids: str, **options: Any) -> dict[str, Any]:
    with pytest.raises(UnfitConversationsError) as refused:
        world.create(*ids, **options)
    assert world.objects.objects == {}
    details: dict[str, Any] = refused.value.details
    return details


def test_a_file_has_its_conversations_in_the_order_of_the_request() -> None:
    world = a_world("a", "b", "c")
    file = world.create("c", "a", "b")
    assert world.ids_in(file) == ["c", "a", "b"]
    assert (file.version, file.newest.conversation_count) == (1, 3)
    assert (file.newest.total_training_pairs, file.newest.trainable_pairs) == (12, 6)
    assert file.newest.quality.average == 4.0


def test_both_objects_have_the_size_and_hash_on_the_row() -> None:
    import hashlib

    world = a_world("a")
    newest = world.create("a").newest
    for key, size, digest in (
        (newest.json_key, newest.json_file_size, newest.json_sha256),
        (newest.jsonl_key, newest.jsonl_file_size, newest.jsonl_sha256),
    ):
        stored = world.objects.objects[key].text.encode()
        assert (len(stored), hashlib.sha256(stored).hexdigest()) == (size, digest)


def test_every_conversation_that_is_not_eligible_is_named_with_its_reason() -> None:
    world = World(
        an_enriched_record("good"),
        an_enriched_record("raw", enrichment_status="not_started", enriched_file_path=None),
        an_enriched_record("failed", enrichment_status="validation_failed"),
        an_enriched_record("refused", status="rejected"),
        an_enriched_record("shelved", status="archived"),
    )
    details = refusal(world, "good", "raw", "good", "failed", "nowhere", "refused", "shelved")
    assert details == {
        "repeated": ["good"],
        "unknown": ["nowhere"],
        "rejected": ["refused"],
        "archived": ["shelved"],
        "not_enriched": ["raw", "failed"],
    }


def test_another_owners_conversation_is_unknown() -> None:
    world = World(an_enriched_record("theirs", owner_id=STRANGER))
    assert refusal(world, "theirs") == {"unknown": ["theirs"]}


def test_a_severe_flag_keeps_a_conversation_out_until_a_reviewer_approves_it() -> None:
    severe = ["cut_text", "duplicated_turn", "medical_directive"]
    world = World(
        an_enriched_record("good"),
        an_enriched_record("doubtful", flags=["duplicated_turn", "guarantee"]),
        an_enriched_record("flagged", flags=severe),
        an_enriched_record("approved", flags=severe, status="approved"),
    )
    with pytest.raises(UnfitConversationsError, match="1 have a severe flag.*approve") as refused:
        world.create("good", "doubtful", "flagged", "approved")
    assert refused.value.details == {
        "severe_flags": [{"conversation_id": "flagged", "flags": ["cut_text", "medical_directive"]}]
    }
    assert world.objects.objects == {}
    assert world.ids_in(world.create("good", "doubtful", "approved")) == [
        "good",
        "doubtful",
        "approved",
    ]


def test_only_approved_conversations_are_accepted_if_the_caller_requires_it() -> None:
    world = World(an_enriched_record("yes", status="approved"), an_enriched_record("no"))
    assert refusal(world, "yes", "no", eligibility="approved") == {"not_approved": ["no"]}
    assert world.ids_in(world.create("yes", eligibility="approved")) == ["yes"]


def test_conversations_with_the_same_text_are_reported_before_a_file_is_created() -> None:
    world = a_world("a", "b", "c")
    turns = [f"This is turn number {number} of the conversation." for number in range(1, 9)]
    world.write("a", *turns)
    world.write("b", *turns)
    world.write("c", *turns[:7], "And this turn is a different one at the end.")
    found = refusal(world, "a", "b", "c")["duplicates"]
    assert [(one["kind"], one["conversation_id"], one["same_as"]) for one in found] == [
        ("exact", "b", "a"),
        ("near", "c", "a"),
        ("near", "c", "b"),
    ]
    assert world.ids_in(world.create("a", "b", "c", allow_duplicates=True)) == ["a", "b", "c"]


def test_a_taken_name_is_refused_before_anything_is_stored() -> None:
    world = a_world("a", "b")
    world.create("a")
    stored = set(world.objects.objects)
    with pytest.raises(DuplicateKeyError):
        world.create("b", name=" FIRST ")
    assert set(world.objects.objects) == stored


def test_adding_creates_a_version_and_leaves_the_older_one_unchanged() -> None:
    world = a_world("a", "b", quality_score=3.0)
    first = world.create("a")
    before = dict(world.objects.objects)
    grown = world.add(first, "b")
    assert world.ids_in(grown) == ["a", "b"]
    assert world.ids_in(grown, 1) == ["a"]
    assert before.items() <= world.objects.objects.items()
    assert (grown.version, grown.newest.added_conversations) == (2, 1)
    assert grown.versions[0] == first.newest
    assert grown.scaffolding_distribution["personas"] == {"overwhelmed_avoider": 2}


def test_the_scores_of_older_conversations_stay_in_the_summary() -> None:
    world = World(an_enriched_record("a", quality_score=3.1), an_enriched_record("b"))
    quality = world.add(world.create("a"), "b").newest.quality
    assert (quality.average, quality.lowest, quality.highest) == (3.55, 3.1, 4.0)


def test_reviewed_conversations_are_counted() -> None:
    world = World(an_enriched_record("a", reviewed_at="2026-11-21"), an_enriched_record("b"))
    assert world.create("a", "b").newest.quality.human_reviewed == 1


def test_a_conversation_in_the_file_is_not_added_again() -> None:
    world = a_world("a", "b")
    file = world.create("a")
    with pytest.raises(UnfitConversationsError) as refused:
        world.add(file, "a", "b")
    assert refused.value.details == {"already_in_file": ["a"]}
    assert world.files.training_file(OWNER, file.file_id) == file


def test_a_duplicate_of_a_conversation_in_the_file_is_reported() -> None:
    world = a_world("a", "b")
    turns = [f"This is turn number {number} of the conversation." for number in range(1, 5)]
    world.write("a", *turns)
    world.write("b", *turns)
    file = world.create("a")
    with pytest.raises(UnfitConversationsError) as refused:
        world.add(file, "b")
    assert [one["same_as"] for one in refused.value.details["duplicates"]] == ["a"]


class ConcurrentlyChanged(InMemoryTrainingFiles):
    """Runs other additions right before a version is stored."""

    def __init__(self, others: list[Any]) -> None:
        super().__init__()
        self._others = others

    def replace(self, file: TrainingFile, seen_version: int) -> None:
        if self._others:
            self._others.pop(0)()
        super().replace(file, seen_version)


def contended_world(*others: str) -> tuple[World, TrainingFile]:
    world = a_world("a", "b", *others)
    first = world.create("a")
    rival = World.add
    files = ConcurrentlyChanged([])
    files.add(first)
    builder = world.builder

    def add_other(conversation_id: str) -> None:
        waiting, files._others = files._others, []
        rival(world, first, conversation_id)
        files._others = waiting

    world.files = files
    world.builder = TrainingFileBuilder(
        files=files,
        selector=builder.selector,
        training_files=builder.training_files,
        clock=builder.clock,
        new_attempt=builder.new_attempt,
    )
    files._others = [lambda one=one: add_other(one) for one in others]
    return world, first


def test_two_concurrent_additions_are_both_kept() -> None:
    world, first = contended_world("theirs")
    grown = world.add(first, "b")
    assert world.ids_in(grown) == ["a", "theirs", "b"]
    assert [world.ids_in(grown, one.version) for one in grown.versions[:2]] == [
        ["a"],
        ["a", "theirs"],
    ]


def test_an_addition_that_conflicts_twice_gets_the_present_state() -> None:
    world, first = contended_world("theirs", "theirs-too")
    with pytest.raises(VersionConflictError) as refused:
        world.add(first, "b")
    assert refused.value.details["version"] == 3
    assert world.ids_in(world.files.training_file(OWNER, first.file_id)) == [
        "a",
        "theirs",
        "theirs-too",
    ]


def test_a_conversation_added_twice_concurrently_is_added_once() -> None:
    world, first = contended_world("b")
    with pytest.raises(UnfitConversationsError) as refused:
        world.add(first, "b")
    assert refused.value.details == {"already_in_file": ["b"]}


def test_adding_to_an_unknown_file_is_refused() -> None:
    with pytest.raises(NotFoundError):
        a_world("a").builder.add(OWNER, "nowhere", ConversationSelection(["a"]))


def test_a_file_has_a_limited_number_of_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_training_file, "MOST_VERSIONS", 2)
    world = a_world("a", "b", "c")
    file = world.add(world.create("a"), "b")
    with pytest.raises(TrainingFileFullError) as refused:
        world.add(file, "c")
    assert refused.value.details["version"] == 2


def test_a_file_has_a_limited_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_training_file, "MOST_BYTES", 1000)
    world = a_world("a")
    with pytest.raises(TrainingFileFullError, match="more than the 1000"):
        world.create("a")
    assert world.objects.objects == {}
    assert model.MOST_BYTES == 50 * 1024 * 1024


def test_missing_pairs_raise_a_storage_error() -> None:
    world = a_world("a")
    world.conversation_files.objects.clear()
    with pytest.raises(StorageError, match="training pairs of 'a' are missing"):
        world.create("a")
