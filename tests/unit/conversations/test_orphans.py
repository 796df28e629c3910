"""The sweep of conversation files: what no row points to goes, after a while."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from brightrun.aws.orphans import ObjectSweeper, Swept
from brightrun.conversations.orphans import conversation_orphans
from tests.builders import OWNER, START, SteppedClock
from tests.fakes.conversations import InMemoryConversations, a_record
from tests.fakes.external_services import InMemoryObjects

ID = "conversation-1"
RECORD = a_record(
    ID,
    file_path=f"{OWNER}/{ID}/second/conversation.json",
    raw_response_path=f"raw/{OWNER}/{ID}/1-1.json",
    enriched_file_path=f"{OWNER}/{ID}/second/enriched.json",
    revisions=[{"file_path": f"{OWNER}/{ID}/first/conversation.json"}],
)
LOST = f"{OWNER}/{ID}/lost/conversation.json"
GONE = f"{OWNER}/deleted/first/conversation.json"
ANSWER = f"raw/{OWNER}/{ID}/1-2.json"
OLD_ANSWER = f"raw/{OWNER}/deleted.json"
DAYS = timedelta(days=1)


def swept(files: InMemoryObjects, now: datetime, *, late: bool = False) -> Swept:
    sweep = conversation_orphans(InMemoryConversations(RECORD), files)
    return sweep.sweep(now, lambda: late)


@pytest.fixture
def files() -> InMemoryObjects:
    store = InMemoryObjects()
    for key in (*RECORD.object_keys(), LOST, GONE, ANSWER, OLD_ANSWER):
        store.put(key, "{}", content_type="application/json")
    return store


def test_what_a_row_points_to_stays_whatever_its_age(files: InMemoryObjects) -> None:
    swept(files, START + 400 * DAYS)
    assert set(files.objects) == RECORD.object_keys()


def test_what_was_stored_today_stays(files: InMemoryObjects) -> None:
    assert swept(files, START + timedelta(hours=23)) == Swept(0, 0)
    assert {LOST, GONE} < files.objects.keys()


def test_the_files_of_lost_attempts_and_of_deleted_conversations_go_after_a_day(
    files: InMemoryObjects,
) -> None:
    assert swept(files, START + 2 * DAYS).removed == 2
    assert not {LOST, GONE} & files.objects.keys()


def test_answers_of_claude_wait_a_month_for_their_batch(files: InMemoryObjects) -> None:
    swept(files, START + 29 * DAYS)
    assert {ANSWER, OLD_ANSWER} < files.objects.keys()
    swept(files, START + 31 * DAYS)
    assert not {ANSWER, OLD_ANSWER} & files.objects.keys()


def test_what_stands_below_no_conversation_is_left_alone() -> None:
    files = InMemoryObjects()
    files.put("readme.txt", "", content_type="text/plain")
    swept(files, START + 400 * DAYS)
    assert set(files.objects) == {"readme.txt"}


def test_a_bucket_too_large_for_one_sweep_is_swept_from_another_place_each_day() -> None:
    files = InMemoryObjects()
    for number in range(2_000):
        key = f"{number % 16:x}-owner/{number}/lost/conversation.json"
        files.put(key, "{}", content_type="application/json")
    for day in range(2, 60):
        done = swept(files, START + day * DAYS, late=True)
        assert done.removed <= 64
        if not files.objects:
            break
    assert files.objects == {}


def test_a_sweep_ends_while_there_is_time_left(files: InMemoryObjects) -> None:
    clock = SteppedClock()
    clock.advance(400 * DAYS.total_seconds())
    sweep = conversation_orphans(InMemoryConversations(RECORD), files)
    done = ObjectSweeper({"files": sweep}, clock).sweep(lambda: 59.0)
    assert not done["files"].finished
    assert ObjectSweeper({"files": sweep}, clock).sweep(lambda: 800.0)["files"].finished
