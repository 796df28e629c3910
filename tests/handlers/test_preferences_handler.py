"""Edited answers as preference data, from the edit to a file that the validator takes."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from brightrun.training_files import preferences
from brightrun.validation import validate
from tests.aws import Aws
from tests.builders import OWNER
from tests.handlers.gateway import Api
from tests.handlers.seeds import Seeds

PREFERENCES = "POST /api/conversations/preferences"
BETTER = "Let us look at it together, one step at a time."
REASON = "The answer was curt."


def _edited(api: Api, seeds: Seeds, number: int = 1, **edit: Any) -> str:
    """A conversation with an edit, approved after it."""
    key = seeds.conversation(number, batch_job_id="").conversation_id
    _edit(api, key, **edit)
    _approve(api, key)
    return key


def _edit(api: Api, key: str, **changes: Any) -> None:
    body = {"turn_number": 2, "content": BETTER, "reason": REASON, **changes}
    assert api(f"PATCH /api/conversations/{key}", body).status == 200


def _approve(api: Api, key: str) -> None:
    assert api(f"PATCH /api/conversations/{key}/status", {"status": "approved"}).status == 200


def _texts(api: Api, key: str) -> list[str]:
    shown = api(f"GET /api/conversations/{key}", query={"includeTurns": "true"}).body["turns"]
    return [turn["content"] for turn in shown]


def _records(api: Api, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api(PREFERENCES, asked).body["records"]
    return found


def test_the_edited_answer_is_chosen_over_the_one_before(api: Api, seeds: Seeds) -> None:
    first = _texts(api, seeds.conversation(batch_job_id="").conversation_id)
    key = _edited(api, seeds)
    (record,) = _records(api)
    assert record["chosen"] == [{"role": "assistant", "content": BETTER}]
    assert record["rejected"] == [{"role": "assistant", "content": first[1]}]
    system, asked = record["prompt"]
    assert (system["role"], asked) == ("system", {"role": "user", "content": first[0]})
    about = record["metadata"]
    assert about.pop("edited_at")
    assert about == {
        "conversation_id": key,
        "turn_number": 2,
        "review_status": "approved",
        "model": "claude-sonnet-5-5",
        "simulated": True,
        "edits": 1,
        "edited_by": OWNER,
        "reason": REASON,
        "prompt_edited": False,
    }


def test_the_prompt_is_what_the_training_pair_of_the_answer_has(
    api: Api, seeds: Seeds, aws: Aws
) -> None:
    key = _edited(api, seeds, turn_number=4)
    (record,) = _records(api)
    path = api(f"GET /api/conversations/{key}").body["conversation"]["enriched_file_path"]
    body = aws.s3.get_object(Bucket="conversation-files", Key=path)["Body"].read()
    pair = json.loads(body)["training_pairs"][3]
    texts = [message["content"] for message in record["prompt"]]
    history = [turn["content"] for turn in pair["conversation_history"]]
    assert texts == [pair["system_prompt"], *history, pair["current_user_input"]]


def test_the_lines_are_ready_preference_data(api: Api, seeds: Seeds) -> None:
    for number in (1, 2):
        _edited(api, seeds, number)
    lines = "\n".join(json.dumps(record) for record in _records(api))
    result = validate(BytesIO(lines.encode()))
    assert (result.status, result.format, result.records) == ("ready", "preference", 2)


def test_a_turn_that_was_edited_twice_gives_its_first_and_its_last_text(
    api: Api, seeds: Seeds
) -> None:
    key = seeds.conversation(batch_job_id="").conversation_id
    before = _texts(api, key)[1]
    _edit(api, key, content="A draft that nobody kept.", reason="First try.")
    _edit(api, key)
    _approve(api, key)
    (record,) = _records(api)
    assert record["rejected"][0]["content"] == before
    assert (record["metadata"]["edits"], record["metadata"]["reason"]) == (2, REASON)


def test_it_says_when_the_rejected_answer_was_given_to_another_prompt(
    api: Api, seeds: Seeds
) -> None:
    key = seeds.conversation(batch_job_id="").conversation_id
    _edit(api, key, turn_number=2)
    _edit(api, key, turn_number=1, content="And what if I never save at all?")
    _approve(api, key)
    (record,) = _records(api)
    assert record["metadata"]["prompt_edited"] is True
    assert record["prompt"][-1]["content"] == "And what if I never save at all?"


def test_neither_white_space_nor_a_turn_of_the_client_is_a_preference(
    api: Api, seeds: Seeds
) -> None:
    key = seeds.conversation(1, batch_job_id="").conversation_id
    spaced = _texts(api, key)[1].replace(" ", "\n\n")
    _edit(api, key, content=spaced)
    _approve(api, key)
    _edited(api, seeds, 2, turn_number=1)
    answer = api(PREFERENCES, {}).body
    assert (answer["records"], answer["examined"], answer["omitted"]) == ([], 2, [])


def test_a_text_that_was_put_back_is_no_preference(api: Api, seeds: Seeds) -> None:
    key = seeds.conversation(batch_job_id="").conversation_id
    before = _texts(api, key)[1]
    _edit(api, key)
    _edit(api, key, content=before)
    _approve(api, key)
    assert _records(api) == []


def test_only_approved_ones_are_taken_unless_others_are_chosen(api: Api, seeds: Seeds) -> None:
    approved = _edited(api, seeds, 1)
    waiting = seeds.conversation(2, batch_job_id="").conversation_id
    _edit(api, waiting)

    def taken(**asked: Any) -> list[str]:
        return [record["metadata"]["conversation_id"] for record in _records(api, **asked)]

    assert taken() == taken(filter={"tier": "template"}) == [approved]
    assert taken(filter={"status": "pending_review"}) == [waiting]
    assert taken(conversation_ids=[waiting]) == [waiting]


def test_another_owners_edits_are_not_seen(api: Api, seeds: Seeds) -> None:
    key = _edited(api, seeds)
    other = api(PREFERENCES, {"conversation_ids": [key]}, owner="owner-2").body
    assert other["records"] == []
    assert other["omitted"] == [{"conversation_id": key, "reason": "unknown"}]


def test_what_gives_no_record_is_named_with_the_reason(api: Api, seeds: Seeds, aws: Aws) -> None:
    key = _edited(api, seeds)
    (revision,) = api(f"GET /api/conversations/{key}").body["conversation"]["revisions"]
    aws.s3.delete_object(Bucket="conversation-files", Key=revision["file_path"])
    answer = api(PREFERENCES, {}).body
    assert answer["omitted"] == [{"conversation_id": key, "reason": "file_missing"}]


def test_an_answer_ends_before_it_is_too_large_and_the_next_goes_on(
    api: Api, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [_edited(api, seeds, number) for number in (1, 2, 3)]
    size = len(json.dumps(_records(api)[0]))
    monkeypatch.setattr(preferences, "MOST_BYTES", int(1.5 * size))
    found, position = [], 0
    while position is not None:
        page = api(PREFERENCES, {"position": position}).body
        assert (page["examined"], page["selected"]) == (1, 3)
        found += [record["metadata"]["conversation_id"] for record in page["records"]]
        position = page["next_position"]
    assert sorted(found) == sorted(keys)


def test_one_that_no_answer_can_hold_is_omitted(
    api: Api, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = _edited(api, seeds)
    monkeypatch.setattr(preferences, "MOST_BYTES", 10)
    answer = api(PREFERENCES, {}).body
    assert answer["omitted"] == [{"conversation_id": key, "reason": "too_large"}]
    assert answer["next_position"] is None


@pytest.mark.parametrize(
    "body", [{"conversation_ids": []}, {"position": -1}, {"filter": {}}, {"ids": ["a"]}]
)
def test_a_malformed_request_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api(PREFERENCES, body).status == 400
