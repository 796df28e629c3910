"""What a receipt says beyond the trainer's figures, and where it is not exact."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from brightrun.sft import preview
from brightrun.sft.errors import DatasetError
from brightrun.sft.make_receipt import SampleLimits, make_receipt
from brightrun.sft.receipt import Receipt
from brightrun.sft.settings import TEMPLATE_DATE, DatasetSettings
from brightrun.sft.splits import Split
from brightrun.sft.tokenizer import OfflineTokenizer
from tests.fakes.tokenizer import CHATML, SPECIAL, write_tokenizer


@pytest.fixture
def tokenizer(tmp_path: Path) -> OfflineTokenizer:
    return OfflineTokenizer(write_tokenizer(tmp_path))


def conversation(number: int, exchanges: int = 1) -> dict[str, Any]:
    said = (f"{role} {turn} of {number}" for turn in range(exchanges) for role in ("Q", "A"))
    roles = ("user", "assistant")
    return {
        "conversation_id": f"c{number}",
        "turns": [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)],
    }


def lines_of(rows: Iterable[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(row).encode() + b"\n" for row in rows]


def receipt_of(rows: Iterable[dict[str, Any]], tokenizer: OfflineTokenizer, **how: Any) -> Receipt:
    names = DatasetSettings.__struct_fields__
    settings = DatasetSettings(**{name: how.pop(name) for name in names if name in how})
    source = BytesIO(b"".join(lines_of(rows)))
    return make_receipt(source, tokenizer, settings, name="x.jsonl", **how)


def test_special_tokens_in_the_text_are_counted_by_row(tokenizer: OfflineTokenizer) -> None:
    rows = [conversation(number, 2) for number in range(30)]
    for row in rows[4:]:
        row["turns"][0]["content"] += f"{SPECIAL[2]} and {SPECIAL[2]}"
    rows[7]["turns"][3]["content"] = f"{SPECIAL[0]}!"
    often, once = receipt_of(rows, tokenizer).special_tokens_in_content
    assert (often.token, often.rows, often.lines) == (SPECIAL[2], 26, list(range(5, 25)))
    assert (once.token, once.rows, once.lines) == (SPECIAL[0], 1, [8])


def test_the_applied_template_is_named(tokenizer: OfflineTokenizer) -> None:
    template = receipt_of([conversation(1)], tokenizer).template
    assert (template.name, template.file) == ("default", "chat_template.jinja")
    assert template.opening == CHATML[:200]


def test_templates_that_write_the_date_get_the_same_one_on_every_day(tmp_path: Path) -> None:
    dated = "{{ strftime_now('%d %b %Y %H:%M') }}" + CHATML
    dating = OfflineTokenizer(write_tokenizer(tmp_path, dated))
    for given, written in (({}, "26 Jul 2024"), ({"template_date": "2026-11-21"}, "21 Nov 2026")):
        said = receipt_of([conversation(1)], dating, **given)
        assert said.shown[0].segments[0].text.startswith(f"{written} 00:00<|im_start|>")
        assert said.settings["template_date"] == given.get("template_date", TEMPLATE_DATE)


def test_answers_that_the_template_cannot_teach_are_counted_and_named(tmp_path: Path) -> None:
    shouting = CHATML.replace("+ m['content'] +", "+ (m['content'] | replace('loud', 'LOUD')) +")
    tokenizer = OfflineTokenizer(write_tokenizer(tmp_path, shouting))
    rows = [conversation(number) for number in range(5)]
    for number in (1, 3):
        rows[number]["turns"][1]["content"] = "Say it loud."
    said = receipt_of(rows, tokenizer, validation_fraction=0)
    assert (said.pairs, said.dropped.refused_by_template) == (3, 2)
    (refusal,) = said.template_refusals
    assert (refusal.code, refusal.pairs) == ("answer_changed", 2)
    assert refusal.sources == ["x.jsonl:2", "x.jsonl:4"]
    assert said.rows_without_trainable_tokens_lines == [2, 4]
    assert [row.line for row in said.shown] == [1, 3, 5]
    assert said.refusal is None


def test_answers_of_one_row_are_shown_in_one_sequence(tokenizer: OfflineTokenizer) -> None:
    (row,) = receipt_of([conversation(1, 2)], tokenizer).shown
    assert [(one.text[:11], one.trained) for one in row.segments] == [
        ("<|im_start|", False),
        ("A 0 of 1<|i", True),
        ("\n<|im_start", False),
        ("A 1 of 1<|i", True),
    ]
    assert row.trained_tokens == 2 * (len("A 0 of 1") + 1)


def test_a_long_text_is_cut_in_its_middle_and_says_by_how_much(
    tokenizer: OfflineTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST_CHARACTERS", 200)
    row = conversation(1)
    row["turns"][1]["content"] = "a" * 300 + "z" * 300
    (sequence,) = receipt_of([row], tokenizer).shown
    prompt, answer = sequence.segments
    assert prompt.omitted == 0
    assert answer.text.startswith("aaa")
    assert answer.text.endswith("zzz<|im_end|>")
    assert answer.omitted == 600 + len("<|im_end|>") - 100


def test_a_row_that_is_too_long_is_shown_untrained(tokenizer: OfflineTokenizer) -> None:
    row = conversation(1)
    row["turns"][1]["content"] = "a" * 300
    said = receipt_of([row, conversation(2)], tokenizer, max_seq_length=100, validation_fraction=0)
    assert [(one.fits, one.trained_tokens > 0) for one in said.shown] == [
        (False, False),
        (True, True),
    ]
    assert not any(segment.trained for segment in said.shown[0].segments)
    assert said.dropped.too_long == 1
    assert said.rows_without_trainable_tokens_lines == [1]
    assert said.refusal is not None
    assert "1 of 2 pairs do not fit into max_seq_length 100" in said.refusal


def test_a_sample_is_multiplied_and_says_so(tokenizer: OfflineTokenizer) -> None:
    rows = [conversation(number, 3) for number in range(300)]
    rows[0]["turns"] = rows[0]["turns"][:1]
    whole = receipt_of(rows, tokenizer)
    size = sum(map(len, lines_of(rows)))
    part = receipt_of(rows, tokenizer, limits=SampleLimits(size, size // 5, 10**9))
    assert (part.method, part.rows) == ("sampled", 300)
    assert part.sample is not None
    assert part.sample.rows < 100
    assert part.sample.factor * part.sample.bytes == pytest.approx(size, rel=0.001)
    for count in ("pairs", "total_tokens", "trainable_tokens", "tokens_per_epoch", "steps"):
        assert getattr(part, count) == pytest.approx(getattr(whole, count), rel=0.05)
    assert part.merge_factor == pytest.approx(whole.merge_factor, rel=0.05)


def test_long_histories_are_thinned_and_counted_on_too(tokenizer: OfflineTokenizer) -> None:
    rows = [conversation(number, 6) for number in range(100)]
    whole = receipt_of(rows, tokenizer)
    size = sum(map(len, lines_of(rows)))
    characters = sum(len(t["content"]) for row in rows for t in row["turns"])
    part = receipt_of(rows, tokenizer, limits=SampleLimits(size, size, characters))
    assert part.method == "sampled"
    assert part.sample is not None
    assert (part.sample.of_rows, part.sample.rows < 60) == (100, True)
    assert part.total_tokens == pytest.approx(whole.total_tokens, rel=0.05)


def test_within_the_limits_everything_is_counted(tokenizer: OfflineTokenizer) -> None:
    rows = [conversation(number) for number in range(20)]
    limits = SampleLimits(5000, 5000, 5000)
    assert receipt_of(rows, tokenizer, limits=limits) == receipt_of(rows, tokenizer)


def test_a_split_of_another_file_is_refused(tokenizer: OfflineTokenizer) -> None:
    with pytest.raises(DatasetError, match=r"line 9 of a training file with 2 lines"):
        receipt_of(
            [conversation(1), conversation(2)],
            tokenizer,
            split=Split(version=1, validation_lines=[9]),
        )


def test_the_shared_code_loads_nothing_that_the_training_image_lacks() -> None:
    code = (
        "import sys, brightrun.sft.make_receipt, brightrun.sft.tokenizer\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"brightrun", "msgspec"} <= loaded
    assert not loaded & {"boto3", "pydantic", "torch", "transformers", "jinja2", "tokenizers"}
