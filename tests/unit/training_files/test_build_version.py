"""Building a version page by page: the same bytes however it is cut, killed and repeated."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightrun.conversations.digests import ConversationFilter
from brightrun.core.errors import StorageError
from brightrun.training_files import assemble_version, build_training_file, parts
from brightrun.training_files.model import TrainingFile
from tests.builders import OWNER
from tests.fakes.training_files import an_enriched_record
from tests.unit.training_files.whole_document import Texts, whole_document
from tests.unit.training_files.world import World, a_world

IDS = [f"{number:08}-0000-4000-8000-000000000000" for number in range(9)]


class Killed(BaseException):
    """The function's process ends here."""


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything but the smallest is built in the background, in parts of about a conversation."""
    monkeypatch.setattr(build_training_file, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(parts, "PART_BYTES", 6000)
    yield


def texts(world: World, file: TrainingFile) -> tuple[str, str]:
    return world.text(file.newest.json_key), world.text(file.newest.jsonl_key)


def as_a_whole(world: World, file: TrainingFile, *ids: str) -> Texts:
    newest = file.newest
    return whole_document(
        file.name, world.selected(*ids), created=file.created_at, updated=newest.created_at
    )


@pytest.mark.parametrize("page", [1, 2, 7, 100])
def test_a_version_has_the_bytes_of_a_whole_document_by_any_page(page: int) -> None:
    world = a_world(*IDS)
    file = world.finish(world.create(*IDS), page)
    whole = as_a_whole(world, file, *IDS)
    assert texts(world, file) == (whole.json, whole.jsonl)
    assert file.newest.trainable_pairs == whole.trainable_pairs
    for text, digest, size in (
        (whole.json, file.newest.json_sha256, file.newest.json_file_size),
        (whole.jsonl, file.newest.jsonl_sha256, file.newest.jsonl_file_size),
    ):
        assert hashlib.sha256(text.encode()).hexdigest() == digest
        assert len(text.encode()) == size
    assert {*world.objects.objects} == file.object_keys()
    assert world.objects.uploads == {}


TURNS = st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=6)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    conversations=st.lists(TURNS, min_size=2, max_size=5),
    page=st.sampled_from([1, 2, 7]),
    first=st.integers(0, 4),
    part_bytes=st.sampled_from([1, 3000, 10_000_000]),
)
def test_any_texts_in_any_pages_and_parts_are_what_a_request_writes_at_once(
    monkeypatch: pytest.MonkeyPatch,
    conversations: list[list[str]],
    page: int,
    first: int,
    part_bytes: int,
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", part_bytes)
    ids = IDS[: len(conversations)]
    world = a_world(*ids)
    for one, turns in zip(ids, conversations, strict=True):
        world.write(one, *(turns if len(turns) % 2 == 0 else turns[:-1]))
    options: dict[str, Any] = {"allow_duplicates": True}
    monkeypatch.setattr(build_training_file, "MOST_AT_ONCE", 100)
    at_once = world.create(*ids, name="At once", **options)
    monkeypatch.setattr(build_training_file, "MOST_AT_ONCE", 0)
    paged = world.finish(world.create(*ids[: first + 1], name="By pages", **options), page)
    if ids[first + 1 :]:
        paged = world.finish(world.add(paged, *ids[first + 1 :], **options), page)
    for file in (at_once, paged):
        whole = as_a_whole(world, file, *ids)
        assert texts(world, file) == (whole.json, whole.jsonl)


def test_a_version_is_added_page_by_page_to_the_one_before() -> None:
    world = a_world(*IDS)
    first = world.finish(world.create(*IDS[:4]), 3)
    before = texts(world, first)
    begun = world.add(first, *IDS[4:], strict=False)
    seen = []
    while world.step(begun, 2) == "building":
        build = world.stored(begun).build
        assert build is not None
        seen.append(build.done)
    grown = world.stored(begun)
    assert seen == [2, 4, 6, 8, 9]
    assert (grown.version, grown.newest.added_conversations) == (2, 5)
    assert texts(world, first) == before
    whole = as_a_whole(world, grown, *IDS)
    assert texts(world, grown) == (whole.json, whole.jsonl)


def test_conversations_in_the_version_before_are_found_across_pages() -> None:
    world = a_world(*IDS)
    turns = [f"This is turn number {number} of the conversation." for number in range(1, 5)]
    world.write(IDS[0], *turns)
    world.write(IDS[5], *turns)
    file = world.finish(world.create(*IDS[:3]), 1)
    grown = world.finish(world.add(file, *IDS[2:7], strict=False), 1)
    assert grown.build is not None
    assert grown.build.left_out == {"already_in_file": 1, "duplicates": 1}
    assert world.ids_in(grown) == [*IDS[:5], IDS[6]]


def test_all_faults_of_a_strict_selection_are_named_and_no_version_is_made() -> None:
    bad = {1: {"status": "rejected"}, 4: {"flags": ["legal_directive"]}, 7: {"status": "archived"}}
    world = World(*(an_enriched_record(one, **bad.get(at, {})) for at, one in enumerate(IDS)))
    file = world.finish(world.create(*IDS), 2)
    build = file.build
    assert build is not None
    assert (file.status, file.version, build.status) == ("failed", 0, "failed")
    assert (build.error_code, build.done) == ("unfit_conversations", 9)
    assert build.error is not None and "1 were rejected in review" in build.error
    assert build.left_out == {"rejected": 1, "archived": 1, "severe_flags": 1}
    assert build.examples["severe_flags"] == [
        {"conversation_id": IDS[4], "flags": ["legal_directive"]}
    ]
    assert (world.objects.objects, world.objects.uploads) == ({}, {})


def test_a_failed_build_does_not_take_a_version_number_or_the_file() -> None:
    world = World(*(an_enriched_record(one) for one in IDS[:3]))
    failed = world.finish(world.create(IDS[0], "nowhere"), 5)
    assert failed.status == "failed"
    again = world.finish(world.add(failed, *IDS[:2]), 5)
    assert (again.status, again.version, world.ids_in(again)) == ("active", 1, IDS[:2])
    worse = world.finish(world.add(again, IDS[2], "nowhere"), 5)
    assert (worse.status, worse.version) == ("active", 1)
    assert worse.build is not None and worse.build.status == "failed"
    assert {*world.objects.objects} == again.object_keys()


def test_a_filter_is_what_it_was_when_the_build_began() -> None:
    world = a_world(*IDS[:3])
    file = world.create(where=ConversationFilter())
    world.conversations.add(an_enriched_record(IDS[5]))
    assert len(world.ids_in(world.finish(file, 1))) == 3


def test_a_file_too_large_fails_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assemble_version, "MOST_BYTES", 20_000)
    world = a_world(*IDS)
    file = world.finish(world.create(*IDS), 2)
    assert file.build is not None
    assert file.build.error_code == "training_file_full"
    assert (world.objects.objects, world.objects.uploads) == ({}, {})


def test_memory_holds_a_part_and_not_the_file() -> None:
    world = a_world(*IDS)
    file = world.finish(world.create(*IDS), 2)
    largest = max(len(json.dumps(one.enriched)) for one in world.selected(*IDS))
    assert world.objects.most_held <= parts.PART_BYTES + 3 * largest
    assert world.objects.most_held < file.newest.json_file_size / 2


# --- killed at any point


def killed_at(world: World, number: int, *, after: bool) -> list[str]:
    """End the process at the call of a number to what outlasts it, before or after its effect."""
    calls: list[str] = []

    def watch(target: Any, name: str) -> None:
        method = getattr(target, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            if len(calls) - 1 == number and not after:
                raise Killed
            result = method(*args, **kwargs)
            if len(calls) - 1 == number and after:
                raise Killed
            return result

        setattr(target, name, watched)

    for name in ("put", "put_part", "begin_parts", "complete_parts", "abandon_parts", "remove_all"):
        watch(world.objects, name)
    watch(world.files, "replace")
    return calls


def calls_of_a_build() -> int:
    world = a_world(*IDS[:4])
    file = world.create(*IDS[:4])
    calls = killed_at(world, -1, after=False)
    world.finish(file, 2)
    return len(calls)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_build_that_is_killed_at_any_call_goes_on_without_loss_or_doubles(after: bool) -> None:
    number = calls_of_a_build()
    assert number > 20
    for at in range(number):
        world = a_world(*IDS[:4])
        file = world.create(*IDS[:4])
        killed_at(world, at, after=after)
        with pytest.raises(Killed):
            world.finish(file, 2)
        done = world.finish(file, 2)
        whole = as_a_whole(world, done, *IDS[:4])
        assert texts(world, done) == (whole.json, whole.jsonl), at
        assert (len(done.versions), done.newest.conversation_count) == (1, 4)
        assert {*world.objects.objects} == done.object_keys(), at
        assert world.objects.uploads == {}, at


def test_a_step_that_still_runs_when_it_is_repeated_changes_nothing() -> None:
    """The first invocation is slow: the next ones build the whole version while it runs."""
    world = a_world(*IDS)
    file = world.create(*IDS)
    advance, replace = world.files.replace, world.files.replace
    overtaken: list[TrainingFile] = []

    def slow(changed: TrainingFile, seen: TrainingFile) -> None:
        world.files.replace = replace  # type: ignore[method-assign]
        if not overtaken:
            overtaken.append(world.finish(file, 3))
        advance(changed, seen)

    world.files.replace = slow  # type: ignore[method-assign]
    assert world.step(file, 3) == "building"
    done = world.stored(file)
    assert done == overtaken[0]
    whole = as_a_whole(world, done, *IDS)
    assert texts(world, done) == (whole.json, whole.jsonl)
    assert world.step(file, 3) == "ready"


def test_a_part_that_a_repeated_step_changed_fails_the_build_instead_of_mixing() -> None:
    world = a_world(*IDS)
    file = world.create(*IDS)
    while not world.objects.uploads:
        world.step(file, 2)
    (_, (_, stored)), *_ = world.objects.uploads.items()
    stored[2] = b"of another invocation"
    with pytest.raises(StorageError, match="InvalidPart"):
        world.finish(file, 2)
    assert world.step(file, failed=True) == "failed"
    assert (world.objects.objects, world.objects.uploads) == ({}, {})


def test_a_build_that_failed_for_good_says_what_the_last_attempt_said() -> None:
    world = a_world(*IDS)
    file = world.create(*IDS)
    world.step(file, 2)
    cause = json.dumps({"errorMessage": "GetObject failed: the training pairs are missing."})
    assert world.step(file, failed=True, cause=cause) == "failed"
    failed = world.stored(file)
    assert failed.build is not None
    assert failed.build.error == (
        "Every attempt at a page failed: GetObject failed: the training pairs are missing."
    )
    assert (world.objects.objects, world.objects.uploads) == ({}, {})
    assert world.step(file) == "failed"


def test_what_a_failed_build_left_is_removed_by_the_repeated_step() -> None:
    world = a_world(*IDS)
    file = world.create(*IDS)
    world.step(file, 2)
    remove_all = world.objects.remove_all
    world.objects.remove_all = _killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        world.step(file, failed=True)
    world.objects.remove_all = remove_all  # type: ignore[method-assign]
    assert world.step(file, failed=True) == "failed"
    assert (world.objects.objects, world.objects.uploads) == ({}, {})


def _killed(_prefix: str) -> None:
    raise Killed


def test_a_step_of_another_build_or_of_no_file_is_superseded() -> None:
    world = a_world(*IDS)
    file = world.create(*IDS)
    assert world.step(file, attempt="another") == "superseded"
    assert world.step(file, file_id="nowhere") == "superseded"
    old = dataclasses.replace(world.stored(file), build=None)
    world.files.replace(old, world.stored(file))
    assert world.step(file) == "superseded"
    assert world.files.training_file(OWNER, file.file_id) == old
