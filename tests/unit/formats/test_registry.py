"""A format is one entry of the registry: with it alone a file is taken all the way to training."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from brightrun.formats.chat import ChatNames, chat_format
from brightrun.formats.fields import note_fields
from brightrun.formats.format import FORMATS, api_name, api_names, register, writable
from brightrun.formats.model import Example, Format
from brightrun.formats.rules import Message, Note, Rules, has_text, note_missing
from brightrun.formats.source import RecordSource
from brightrun.sft.data import DataReport, read_pairs
from brightrun.sft.make_receipt import make_receipt
from brightrun.sft.settings import DatasetSettings
from brightrun.sft.tokenizer import OfflineTokenizer
from brightrun.validation.validator import validate
from tests.fakes.tokenizer import write_tokenizer
from tests.unit.formats.training_examples import converted, jsonl, pairs_in
from tests.unit.validation.records import found


def _dialog(*texts: str) -> dict[str, Any]:
    return {"dialog": [{"who": "QA"[at % 2], "says": text} for at, text in enumerate(texts)]}


DIALOGS = chat_format(
    ChatNames(
        turns="dialog",
        role="who",
        text="says",
        roles={"S": "system", "Q": "user", "A": "assistant"},
    ),
    name="toy-dialog",
    title="toy dialogs",
    keys={"dialog": 0},
    described="'dialog' (toy)",
    api_names=("toy_dialog",),
)


def _card(question: str, answer: str) -> dict[str, Any]:
    return {"front": question, "back": answer}


def _write_cards(example: Example, _position: int) -> Iterator[dict[str, Any]]:
    for question, answer in zip(example.turns[::2], example.turns[1::2], strict=True):
        yield _card(question.content, answer.content)


def _check_card(record: dict[str, Any], note: Note) -> list[Message]:
    fields = ("front", "back")
    note_fields(record, fields, "", note)
    if note_missing(record, fields, "", note):
        return []
    good = [name for name in fields if has_text(record[name], f"/{name}", note)]
    roles = {"front": "user", "back": "assistant"}
    return [Message(f"/{name}", roles[name], record[name], name == "back") for name in good]


CARDS = Format(  # no shape: the least that an entry can be
    name="toy-cards",
    title="toy cards",
    keys={"front": 0, "back": 0},
    write=_write_cards,
    keeps=lambda _example: (),
    texts=("front", "back"),
    rules=Rules(check=_check_card),
    one_record_per_conversation=False,
)
TOYS: list[tuple[Format, Callable[..., dict[str, Any]]]] = [(DIALOGS, _dialog), (CARDS, _card)]
each_toy = pytest.mark.parametrize(
    ("toy", "record"), TOYS, ids=[toy.name for toy, _ in TOYS], indirect=["toy"]
)


@pytest.fixture
def toy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Format:
    """A format that is in the registry for one test."""
    entry: Format = request.param
    monkeypatch.setitem(FORMATS, entry.name, entry)
    return entry


def _many(record: Callable[..., dict[str, Any]], count: int = 30) -> list[dict[str, Any]]:
    return [record(f"Question {n}?", f"Answer {n}.") for n in range(count)]


@each_toy
def test_it_is_detected(toy: Format, record: Callable[..., dict[str, Any]]) -> None:
    detection = RecordSource(BytesIO(jsonl([record("a", "b")]))).detection
    assert detection is not None
    assert detection.format is toy
    assert toy.title in str(detection)


@each_toy
@pytest.mark.parametrize("other", ["messages", "conversations", "sharegpt", "alpaca", "v4-jsonl"])
def test_it_is_converted_to_another_format_and_back(
    toy: Format, record: Callable[..., dict[str, Any]], other: str
) -> None:
    source = jsonl(_many(record))
    there, first = converted(source, other)
    back, second = converted(there, toy.name)
    assert [json.loads(line) for line in back.splitlines()] == _many(record)
    assert first.trainable_pairs == second.trainable_pairs == 30
    assert not first.left_out
    assert first.detected.format is second.to is toy


@each_toy
def test_it_becomes_a_whole_training_json(
    toy: Format, record: Callable[..., dict[str, Any]]
) -> None:
    document, result = converted(jsonl(_many(record)), "v4-json")
    assert json.loads(document)["training_file_metadata"]["total_training_pairs"] == 30
    assert result.detected.format is toy
    assert len(pairs_in(converted(document, "v4-jsonl")[0])) == 30


@each_toy
def test_its_good_lines_are_ready_and_its_bad_ones_explained(
    toy: Format, record: Callable[..., dict[str, Any]]
) -> None:
    good = validate(BytesIO(jsonl(_many(record))))
    assert (good.status, good.format, good.trainable_pairs) == ("ready", toy.name, 30)
    assert not good.summary
    blank, foreign = record("a", " "), {**record("c", "d"), "extra": 1}
    bad = validate(BytesIO(jsonl([record("a", "b"), blank, foreign, {"messages": []}])))
    place = "/dialog/1/says" if toy is DIALOGS else "/back"
    assert found(bad.errors) == [(2, place, "empty_turn"), (4, "", "mixed_formats")]
    assert found(bad.warnings) == [(3, "/extra", "extra_field")]


@each_toy
def test_it_is_validated_in_texts_too(toy: Format, record: Callable[..., dict[str, Any]]) -> None:
    result = validate(BytesIO(jsonl([record("Mail ann@example.org?", "Cut off \\")])))
    assert result.format == toy.name
    assert {problem.code for problem in result.warnings} == {"personal_data", "cut_text"}


@each_toy
def test_it_is_read_by_the_trainer_and_receipted(
    toy: Format, record: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    lines = jsonl(_many(record)).splitlines(keepends=True)
    (tmp_path / "train.jsonl").write_bytes(b"".join(lines))
    pairs = read_pairs(tmp_path, DataReport())
    assert [[turn["content"] for turn in pair.messages] for pair in pairs[:2]] == [
        ["Question 0?", "Answer 0."],
        ["Question 1?", "Answer 1."],
    ]
    tokenizer = OfflineTokenizer(write_tokenizer(tmp_path / "model"))
    source = BytesIO(b"".join(lines))
    receipt = make_receipt(source, tokenizer, DatasetSettings(), name=toy.name)
    assert (receipt.rows, receipt.pairs, receipt.refusal) == (30, 30, None)
    assert receipt.trainable_tokens > 0


@each_toy
def test_commands_and_the_api_offer_it(toy: Format, record: Callable[..., dict[str, Any]]) -> None:
    assert toy.name in writable()
    assert api_name(toy.name) == (toy.api_names or [toy.name])[0]
    assert set(toy.api_names) <= set(api_names())


def test_a_name_or_a_key_that_is_taken_is_refused() -> None:
    before = dict(FORMATS)
    with pytest.raises(ValueError, match="'messages' already"):
        register(FORMATS["messages"])
    with pytest.raises(ValueError, match="'other' already"):
        register(chat_format(ChatNames(turns="turns"), name="other", title="", keys={"turns": 0}))
    assert before == FORMATS
    try:
        register(DIALOGS)
        assert FORMATS["toy-dialog"] is DIALOGS
    finally:
        FORMATS.pop("toy-dialog", None)
