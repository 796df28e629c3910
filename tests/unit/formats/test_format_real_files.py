"""v1's own files, as golden results."""

from __future__ import annotations

import json

import pytest

from tests.unit.formats.training_examples import REAL_FILES, converted, needs_real_files

pytestmark = needs_real_files


def _real(name: str) -> bytes:
    return (REAL_FILES / name).read_bytes()


def test_training_json_becomes_the_products_own_jsonl_byte_for_byte() -> None:
    written, result = converted(_real("eq-12.training.json"), "v4-jsonl")
    assert written == _real("eq-12.training.jsonl")
    assert (result.records, result.written) == (89, 44)
    assert (result.trainable_pairs, result.untrainable) == (44, 45)


@pytest.mark.parametrize(
    ("name", "form"),
    [("eq-12.training.json", "v4-json"), ("eq-12.training.jsonl", "v4-jsonl")],
)
def test_a_v4_file_converted_to_its_own_form_is_the_same_file(name: str, form: str) -> None:
    assert converted(_real(name), form)[0] == _real(name)


def test_eq_12_gives_44_chat_examples_whose_roles_alternate_from_the_user() -> None:
    written, result = converted(_real("eq-12.training.jsonl"), "messages")
    lines = [json.loads(line) for line in written.split(b"\n")]
    assert len(lines) == result.trainable_pairs == 44
    for line in lines:
        roles = [message["role"] for message in line["messages"]]
        assert roles == ["system"] + ["user", "assistant"] * (len(roles) // 2)


def test_eq_12_gives_12_conversation_lines_that_train_the_same_44_answers() -> None:
    written, result = converted(_real("eq-12.training.jsonl"), "conversations")
    assert len(written.split(b"\n")) == result.written == 12
    assert result.trainable_pairs == 44
    assert not result.left_out


@pytest.mark.parametrize(
    ("name", "stored", "trainable"),
    [
        ("pair-a.enriched.json", 6, 1),
        ("enriched-with-scaffolding.json", 8, 4),
    ],
)
@pytest.mark.parametrize("to", ["v4-json", "v4-jsonl", "messages", "alpaca"])
def test_enriched_files_are_read_and_their_null_targets_counted_apart(
    name: str, stored: int, trainable: int, to: str
) -> None:
    _, result = converted(_real(name), to)
    assert result.detected.format.name == "enriched"
    assert (result.records, result.trainable_pairs) == (stored, trainable)
    assert result.untrainable == stored - trainable


def test_integers_stay_integers_and_key_order_is_kept() -> None:
    written, _ = converted(_real("enriched-with-scaffolding.json"), "v4-jsonl")
    pair = json.loads(written.split(b"\n")[1])
    assert list(pair)[:3] == ["id", "conversation_id", "turn_number"]
    assert isinstance(pair["training_metadata"]["quality_score"], int)
    assert b'"quality_score":3,' in written


def test_a_raw_conversation_is_refused_with_the_advice_to_enrich_it() -> None:
    from brightrun.formats.errors import UnknownFormatError

    with pytest.raises(
        UnknownFormatError, match="Import it, which enriches it: brightrun import FILE"
    ):
        converted(_real("pair-a.raw.json"), "messages")
