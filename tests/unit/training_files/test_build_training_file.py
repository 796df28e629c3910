"""Creating training files and adding conversations to them."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import pytest

from brightrun.conversations.digests import ConversationFilter
from brightrun.core.errors import (
    BuildInProgressError,
    DuplicateKeyError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    NotFoundError,
    RequestInProgressError,
    StorageError,
    TooManyConversationsError,
    TrainingFileFullError,
    UnfitConversationsError,
    VersionConflictError,
)
from brightrun.training_files import assemble_version, build_training_file, model, selection
from brightrun.training_files.model import BUILD_STOPS_WITHIN, TrainingFile
from brightrun.training_files.selection import ConversationSelection
from tests.builders import OWNER, STRANGER
from tests.fakes.training_files import InMemoryTrainingFiles, an_enriched_record
from tests.unit.training_files.world import World, a_world


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

    def replace(self, file: TrainingFile, seen: TrainingFile) -> None:
        if self._others:
            self._others.pop(0)()
        super().replace(file, seen)


def contended_world(*others: str) -> tuple[World, TrainingFile]:
    world = a_world("a", "b", *others)
    first = world.create("a")
    rival = World.add
    files = ConcurrentlyChanged([])
    files.add(first)

    def add_other(conversation_id: str) -> None:
        waiting, files._others = files._others, []
        rival(world, first, conversation_id)
        files._others = waiting

    world.files = files
    world.builder = dataclasses.replace(world.builder, files=files)
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
    monkeypatch.setattr(assemble_version, "MOST_BYTES", 1000)
    world = a_world("a")
    with pytest.raises(TrainingFileFullError, match="more than 1,000 bytes"):
        world.create("a")
    assert world.objects.objects == {}
    assert model.MOST_BYTES <= 5 * 1024**3  # of one CopyObject


def test_a_version_has_a_limited_number_of_conversations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble_version, "MOST_CONVERSATIONS", 2)
    world = a_world("a", "b", "c")
    file = world.create("a", "b")
    with pytest.raises(TrainingFileFullError, match="more than 2 conversations"):
        world.add(file, "c")
    assert world.ids_in(world.stored(file)) == ["a", "b"]


def test_missing_pairs_raise_a_storage_error() -> None:
    world = a_world("a")
    world.conversation_files.objects.clear()
    with pytest.raises(StorageError, match="training pairs of 'a' are missing"):
        world.create("a")


# --- by a filter


def test_what_a_filter_selects_comes_oldest_first_and_the_rest_is_left_out() -> None:
    records = [
        an_enriched_record("c", created_at="2026-11-23"),
        an_enriched_record("a", created_at="2026-11-21"),
        an_enriched_record("b", created_at="2026-11-22", status="rejected"),
        an_enriched_record("d", created_at="2026-11-24", batch_job_id="another"),
    ]
    world = World(*records)
    file = world.create(where=ConversationFilter({"batch_job_id": "job-1"}))
    assert world.ids_in(file) == ["a", "c"]
    assert file.build is not None
    assert (file.build.left_out, file.build.examples) == ({"rejected": 1}, {"rejected": ["b"]})
    assert (file.build.status, file.build.done, file.build.total) == ("ready", 3, 3)


def test_a_strict_filter_is_refused_if_anything_is_not_eligible() -> None:
    world = World(an_enriched_record("a"), an_enriched_record("b", status="archived"))
    assert refusal(world, where=ConversationFilter(), strict=True) == {"archived": ["b"]}
    assert world.ids_in(world.create("a", "b", strict=False)) == ["a"]


def test_duplicates_are_left_out_of_a_filter_and_the_first_one_stays() -> None:
    world = a_world("a", "b", "c")
    turns = [f"This is turn number {number} of the conversation." for number in range(1, 9)]
    world.write("a", *turns)
    world.write("c", *turns)
    file = world.create(where=ConversationFilter())
    assert len(world.ids_in(file)) == 2
    assert file.build is not None
    assert file.build.left_out == {"duplicates": 1}


def test_a_selection_without_any_eligible_conversation_makes_no_file() -> None:
    world = World(an_enriched_record("a", status="archived"))
    with pytest.raises(UnfitConversationsError, match="No conversation can go"):
        world.create(where=ConversationFilter())
    assert world.files.name_is_free(OWNER, "First")
    with pytest.raises(InvalidInputError, match="No conversation matches"):
        world.create(where=ConversationFilter({"status": "approved"}))


def test_too_many_matches_are_refused_with_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "MOST_CONVERSATIONS", 1)
    with pytest.raises(TooManyConversationsError) as refused:
        a_world("a", "b").create(where=ConversationFilter())
    assert refused.value.details == {"most": 1, "matching": 2}


def test_a_preview_counts_page_by_page_and_reads_no_text() -> None:
    world = World(
        an_enriched_record("a"),
        an_enriched_record("b", flags=["legal_directive"]),
        an_enriched_record("c"),
    )
    world.conversation_files.objects.clear()
    selected = ConversationSelection(("a", "b", "b", "c", "nowhere"))
    first, second = (world.builder.selector.preview(OWNER, selected, start, 2) for start in (0, 2))
    assert (first.selected, first.checked, first.eligible, first.following) == (5, 2, 1, 2)
    assert first.left_out.in_order() == {"repeated": 1, "severe_flags": 1}
    assert (second.checked, second.eligible, second.following) == (2, 1, None)
    assert second.left_out.listed == {"unknown": ["nowhere"]}


# --- in the background


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_training_file, "MOST_AT_ONCE", 1)


@pytest.mark.usefixtures("few_at_once")
def test_many_conversations_begin_a_build_in_the_background() -> None:
    world = a_world("a", "b")
    file = world.create("a", "b")
    assert (file.status, file.version, file.newest.conversation_count) == ("building", 0, 0)
    assert file.build is not None
    assert (file.build.version, file.build.done, file.build.total) == (1, 0, 2)
    assert world.workflow.started == [file.build.attempt]
    assert world.stored(file) == file
    assert not world.files.name_is_free(OWNER, "First")


def test_a_large_version_is_not_copied_within_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_world("a", "b")
    file = world.create("a")
    monkeypatch.setattr(build_training_file, "MOST_BYTES_AT_ONCE", 10)
    begun = world.add(file, "b")
    assert begun.build is not None
    assert (begun.version, begun.status, begun.build.status) == (1, "active", "building")
    assert (begun.build.version, begun.build.total) == (2, 2)


@pytest.mark.usefixtures("few_at_once")
def test_nothing_is_added_while_a_version_is_built() -> None:
    world = a_world("a", "b", "c")
    file = world.create("a", "b")
    with pytest.raises(BuildInProgressError) as refused:
        world.add(file, "c")
    assert refused.value.details["build"]["total"] == 2
    world.clock.advance(BUILD_STOPS_WITHIN.total_seconds())
    assert world.ids_in(world.add(file, "c")) == ["c"]  # the workflow is gone for good


# --- Idempotency-Key


def test_a_repeated_request_gets_the_file_of_the_first_one() -> None:
    world = a_world("a", "b")
    first = world.create("a", idempotency_key="once")
    assert world.create("a", idempotency_key="once") == first
    with pytest.raises(IdempotencyKeyReusedError):
        world.create("b", name="Second", idempotency_key="once")
    grown = world.add(first, "b", idempotency_key="added once")
    assert world.add(first, "b", idempotency_key="added once") == grown
    assert grown.version == 2


@pytest.mark.usefixtures("few_at_once")
def test_a_repeated_request_starts_the_build_that_is_missing() -> None:
    world = a_world("a", "b")
    file = world.create("a", "b", idempotency_key="once")
    world.workflow.started.clear()
    assert world.create("a", "b", idempotency_key="once") == file
    assert file.build is not None
    assert world.workflow.started == [file.build.attempt]


def test_a_request_that_was_refused_can_be_corrected_under_its_key() -> None:
    world = a_world("a")
    for _ in range(2):
        with pytest.raises(UnfitConversationsError):
            world.create("nowhere", idempotency_key="once")
    assert world.ids_in(world.create("a", idempotency_key="once")) == ["a"]


def test_a_request_that_died_before_its_file_was_stored_is_done_again() -> None:
    world = a_world("a")
    add, world.files.add = world.files.add, _fail  # type: ignore[method-assign]
    with pytest.raises(StorageError):
        world.create("a", idempotency_key="once")
    world.files.add = add  # type: ignore[method-assign]
    with pytest.raises(RequestInProgressError):
        world.create("a", idempotency_key="once")
    world.clock.advance(timedelta(minutes=1).total_seconds())
    file = world.create("a", idempotency_key="once")
    assert file.object_keys() < {*world.objects.objects}  # the dead one's are swept away
    assert world.create("a", idempotency_key="once") == file


def _fail(_file: TrainingFile) -> None:
    raise StorageError("TransactWriteItems", "lost")
