"""import: conversations from files of every shape, large ones in parts."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from brightrun.formats import codes
from cli import import_parts
from tests.builders import a_conversation
from tests.cli.conftest import BrightRun
from tests.cli.fake_system import Answer, FakeSystem, Json, Recorded
from tests.fakes.training_files import an_enriched_text
from tests.unit.validation.records import messages

pytestmark = pytest.mark.usefixtures("signed_in")

IMPORT = "/api/conversations"
IDS = [f"aaaaaaaa-0000-4000-8000-00000000000{number}" for number in range(4)]


@pytest.fixture(autouse=True)
def serve(system: FakeSystem) -> None:
    """A server that imports all it gets, and refuses conversations named "refuse"."""

    def answer(sent: Recorded, _: re.Match[str]) -> Json | Answer:
        body: Any = sent.body
        document = body["document"]
        given = document.get("conversations", [document])
        if all(one.get("name") == "refuse" for one in given):
            faults = [{"field": "it", "message": "is refused", "code": "bad"} for _ in given]
            said = {"error": "None", "code": "invalid_input", "details": faults}
            return Answer(422, json.dumps(said).encode())
        results = [
            {
                "place": "the server's",
                "conversation": {"conversation_id": f"c-{at}", "enrichment_status": "completed"},
                "warnings": ["its pairs are made anew"],
                "error": None,
                "code": None,
            }
            for at, _ in enumerate(given)
        ]
        return {"success": True, "imported": len(results), "refused": 0, "results": results}

    system.route("POST", IMPORT, answer)


def sent(system: FakeSystem) -> list[Any]:
    bodies: list[Any] = [one.body for one in system.sent("POST", IMPORT)]
    return [body["document"] for body in bodies]


def enriched(number: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(an_enriched_text(IDS[number]))
    return document


def in_a_row(*documents: Any, indent: int | None = None) -> str:
    return "\n".join(json.dumps(one, indent=indent) for one in documents)


RAW = a_conversation()


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        (in_a_row(RAW), [RAW]),
        (in_a_row(RAW, indent=2), [RAW]),
        ("\ufeff" + in_a_row(RAW, indent=2), [RAW]),
        (in_a_row(RAW, enriched(1)), [RAW, enriched(1)]),
        (in_a_row(RAW, enriched(1), indent=2), [RAW, enriched(1)]),
        (json.dumps([RAW, enriched(1), enriched(2)]), [RAW, enriched(1), enriched(2)]),
        (json.dumps({"data": [RAW, RAW]}, indent=1), [RAW, RAW]),
    ],
    ids=["raw", "indented", "marked", "lines", "in a row", "array", "wrapped"],
)
def test_conversations_are_found_however_they_stand_in_a_file(
    brightrun: BrightRun, system: FakeSystem, text: str, documents: list[Any]
) -> None:
    Path("a.json").write_text(text, "utf-8")
    result = brightrun("import", "a.json", "--json")
    assert result.exit_code == 0, result.output
    assert sent(system) == documents
    assert json.loads(result.stdout)["imported"] == len(documents)


def test_the_pairs_of_v4_lines_are_gathered_by_conversation(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    lines = [
        {**pair, "id": f"{pair['id']}_{IDS[at][:8]}", "conversation_id": IDS[at]}
        for at in (1, 2)
        for pair in enriched(at)["training_pairs"]
    ]
    Path("train.jsonl").write_text(in_a_row({"_meta": {"version": "4.0.0"}}, *lines))
    assert brightrun("import", "train.jsonl").exit_code == 0
    (document,) = sent(system)
    found = document["conversations"]
    assert [one["conversation_metadata"]["conversation_id"] for one in found] == IDS[1:3]
    targets = [pair["target_response"] for one in found for pair in one["training_pairs"]]
    assert targets == [line["target_response"] for line in lines]


def test_the_hint_of_validate_for_a_raw_conversation_works(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    Path("raw.jsonl").write_text(in_a_row(RAW, RAW))
    refused = brightrun("validate", "raw.jsonl", "--json")
    assert "raw_conversation" in refused.stdout
    _, _, command = codes()["raw_conversation"].hint.partition("brightrun ")
    assert brightrun(*command.replace("FILE", "raw.jsonl").split()).exit_code == 0
    assert sent(system) == [RAW, RAW]


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "empty_file", "no records"),
        (b"PK\x03\x04rest", "file_is_zip", "ZIP archive"),
        (json.dumps(RAW).encode("utf-16"), "file_is_utf16", "iconv"),
        (json.dumps([RAW]).encode()[:-1], "broken_document", "line 1, column"),
        (in_a_row(messages(), messages()).encode(), "training_records", "dataset upload"),
    ],
)
def test_what_holds_no_conversations_is_told_in_our_words_before_anything_is_sent(
    brightrun: BrightRun, system: FakeSystem, data: bytes, code: str, said: str
) -> None:
    Path("sound.json").write_text(in_a_row(RAW))
    Path("x").write_bytes(data)
    result = brightrun("import", "sound.json", "x", "--json")
    assert result.exit_code == 2
    document = json.loads(result.stderr)
    assert document["code"] == code
    assert said in document["error"]
    assert sent(system) == []


def test_a_broken_line_keeps_no_other_conversation_out(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    Path("a.jsonl").write_text(in_a_row(RAW) + '\n{"turns": nonsense}\n' + in_a_row({"x": 1}, RAW))
    result = brightrun("import", "a.jsonl", "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["imported"], document["refused"]) == (1, 2, 2)
    (file,) = document["files"]
    assert file["refused_codes"] == {"invalid_json": 1, "unknown_format": 1}
    refused = [one["place"] for one in file["results"] if one["error"]]
    assert refused == ["line 2", "line 3"]


def test_a_document_that_the_server_refuses_ends_no_other(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    Path("a.jsonl").write_text(in_a_row({**RAW, "name": "refuse"}, RAW))
    result = brightrun("import", "a.jsonl")
    assert result.exit_code == 1
    assert "a.jsonl, line 1: refused" in result.stdout
    assert "Refused: is refused" in result.stdout
    assert "a.jsonl, line 2: c-0: completed" in result.stdout
    assert result.stdout.count("Warning: its pairs are made anew") == 1


def test_nothing_is_sent_when_one_of_the_files_cannot_be_read(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    Path("a.json").write_text(in_a_row(RAW))
    assert brightrun("import", "a.json", "missing.json").exit_code == 2
    assert sent(system) == []


def a_training_file(sizes: list[int]) -> dict[str, Any]:
    conversations = [
        {"training_pairs": [], "id": number, "text": "é" * (size // 2)}
        for number, size in enumerate(sizes)
    ]
    return {"training_file_metadata": {"version": "4.0.0"}, "conversations": conversations}


@pytest.mark.parametrize(("sizes", "requests"), [([700_000] * 8, 2), ([100] * 120, 3)])
def test_a_large_file_goes_in_parts_and_its_places_are_counted_through(
    brightrun: BrightRun, system: FakeSystem, sizes: list[int], requests: int
) -> None:
    whole = a_training_file(sizes)
    Path("big.json").write_text(json.dumps(whole))
    result = brightrun("import", "big.json", "--json")
    assert result.exit_code == 0, result.output
    (file,) = json.loads(result.stdout)["files"]
    assert file["imported"] == len(sizes)
    parts = sent(system)
    assert len(parts) == requests
    assert all(import_parts.size_of(part) <= import_parts.MOST_BYTES for part in parts)
    assert [one for part in parts for one in part["conversations"]] == whole["conversations"]
    assert len({one["place"] for one in file["results"]}) == len(sizes)


def test_a_conversation_too_large_is_named_before_anything_is_sent(
    brightrun: BrightRun, system: FakeSystem
) -> None:
    Path("big.json").write_text(
        json.dumps(a_training_file([100, 6_000_000, 100]), indent=1, ensure_ascii=False)
    )
    result = brightrun("import", "big.json")
    assert result.exit_code == 2
    assert "item 2" in result.output
    assert sent(system) == []
