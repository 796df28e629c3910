"""The route that writes receipts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from brightrun.catalog.base_models import base_models, default_base_model
from brightrun.datasets.receipts import service
from tests.aws import Aws
from tests.builders import STRANGER
from tests.fakes.tokenizer import CHATML, put_tokenizer
from tests.handlers.gateway import Answer, Api
from tests.handlers.seeds import Seeds, numbered_id

UNKNOWN = "99999999-0000-4000-8000-000000000000"
CONVERSATIONS = 12


def row(number: int) -> dict[str, Any]:
    return {
        "conversation_id": f"c{number}",
        "turns": [
            {"role": "user", "content": f"Question {number}?"},
            {"role": "assistant", "content": f"Answer {number}."},
        ],
    }


ROWS = [row(number) for number in range(CONVERSATIONS)]


def text_of(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in rows)


def receipt(api: Api, dataset_id: str, **asked: Any) -> Answer:
    return api(f"POST /api/datasets/{dataset_id}/receipt", asked)


def counted(api: Api, seeds: Seeds, rows: list[dict[str, Any]], **asked: Any) -> dict[str, Any]:
    answer = receipt(api, seeds.countable_dataset(text_of(rows)).dataset_id, **asked)
    assert answer.status == 200, answer.text
    data: dict[str, Any] = answer.body["data"]
    return data


def test_a_receipt_counts_what_the_model_will_see(api: Api, seeds: Seeds) -> None:
    said = counted(api, seeds, ROWS, epochs=2, batch_size=4)
    model = default_base_model()
    assert (said["base_model"], said["base_model_revision"]) == (model.key, model.revision)
    # Single bytes are tokens; a turn has two special tokens, its role and two line breaks.
    answers = [f"Answer {number}." for number in range(CONVERSATIONS)]
    questions = [f"Question {number}?" for number in range(CONVERSATIONS)]
    trainable = sum(len(one) + 1 for one in answers)
    masked = sum(len("_user\n" + one + "_\n" + "_assistant\n") for one in questions)
    assert (said["trainable_tokens"], said["masked_tokens"]) == (trainable, masked)
    assert said["total_tokens"] == trainable + masked
    assert (said["rows"], said["pairs"], said["train_pairs"]) == (12, 12, 11)
    assert (said["epochs"], said["steps"]) == (2, 6)
    assert said["total_training_tokens"] == 2 * said["tokens_per_epoch"]
    assert (said["method"], said["sample"], said["refusal"]) == ("exact", None, None)
    assert said["template"]["file"] == "chat_template.jinja"


def test_shown_rows_mark_what_is_trained(api: Api, seeds: Seeds) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    (shown,) = receipt(api, dataset.dataset_id, rows_shown=1).body["data"]["shown"]
    assert shown["segments"] == [
        {
            "text": "<|im_start|>user\nQuestion 0?<|im_end|>\n<|im_start|>assistant\n",
            "trained": False,
            "omitted": 0,
        },
        {"text": "Answer 0.<|im_end|>", "trained": True, "omitted": 0},
    ]
    assert (shown["line"], shown["trained_tokens"]) == (1, 10)
    assert receipt(api, dataset.dataset_id, rows_shown=0).body["data"]["shown"] == []


def test_the_split_that_the_job_will_get_is_followed(api: Api, seeds: Seeds) -> None:
    split = json.dumps({"version": 1, "seed": 42, "fraction": 0.5, "validation_lines": [2, 3, 5]})
    dataset = seeds.countable_dataset(text_of(ROWS), split)
    said = receipt(api, dataset.dataset_id, rows_shown=3).body["data"]
    assert (said["train_pairs"], said["validation_pairs"]) == (9, 3)
    assert [one["side"] for one in said["shown"]] == ["train", "validation", "validation"]


def test_a_large_dataset_is_counted_by_a_sample(
    api: Api, seeds: Seeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of([row(number) for number in range(400)])
    dataset = seeds.countable_dataset(text)
    exact = receipt(api, dataset.dataset_id).body["data"]
    monkeypatch.setattr(service, "MOST_BYTES", len(text) // 4)
    said = receipt(api, dataset.dataset_id).body["data"]
    assert said["method"] == "sampled"
    assert said["rows"] == said["sample"]["of_rows"] == 400
    assert 60 < said["sample"]["rows"] < 140
    assert said["total_tokens"] == pytest.approx(exact["total_tokens"], rel=0.02)
    assert said["steps"] == pytest.approx(exact["steps"], abs=2)
    assert receipt(api, dataset.dataset_id).body["data"] == said


def test_a_dataset_that_the_trainer_would_refuse_has_the_reason(api: Api, seeds: Seeds) -> None:
    mute = {"conversation_id": "c", "turns": [{"role": "user", "content": "Hello?"}]}
    said = counted(api, seeds, [mute])
    assert said["refusal"] == "no trainable pair: 1 rows."
    assert (said["rows_without_trainable_tokens"], said["steps"]) == (1, 0)
    assert said["rows_without_trainable_tokens_lines"] == [1]


@pytest.mark.parametrize(
    "row",
    [
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"instruction": "a", "output": "b"},
    ],
)
def test_sharegpt_and_alpaca_are_counted_as_the_trainer_reads_them(
    api: Api, seeds: Seeds, row: dict[str, Any]
) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    counts = ("rows", "total_tokens", "rows_without_trainable_tokens", "steps")
    said, wanted = counted(api, seeds, [row]), counted(api, seeds, [{"messages": messages}])
    assert [said[name] for name in counts] == [wanted[name] for name in counts]
    assert said["rows_without_trainable_tokens"] == 0


def test_a_receipt_of_an_invalid_file_repeats_the_hint(api: Api, seeds: Seeds) -> None:
    hint = "Convert it first: brightrun convert FILE --to v4-jsonl -o OUT.jsonl"
    dataset = seeds.dataset(status="error", error_message=hint)
    answer = receipt(api, dataset.dataset_id)
    assert answer.status == 409
    assert hint in answer.body["error"]


def test_rows_of_another_format_are_a_conflict(api: Api, seeds: Seeds) -> None:
    dataset = seeds.countable_dataset(b'{"text": "Say so"}\n')
    answer = receipt(api, dataset.dataset_id)
    assert (answer.status, answer.body["code"]) == (409, "untrainable")
    assert "line 1: The line is no training record that we know (" in answer.body["error"]


def test_a_template_that_cannot_be_trained_on_is_a_conflict(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    put_tokenizer(aws.s3, template="{% for m in messages %}")
    answer = receipt(api, dataset.dataset_id)
    assert (answer.status, answer.body["code"]) == (409, "untrainable")
    assert "syntax error in line 1" in answer.body["error"]


def test_what_a_template_cannot_teach_is_refused_by_reason(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    put_tokenizer(aws.s3, template="{% for m in messages %}{{ m['role'] }}{% endfor %}")
    said = receipt(api, dataset.dataset_id).body["data"]
    assert said["dropped"]["refused_by_template"] == CONVERSATIONS
    (refusal,) = said["template_refusals"]
    assert (refusal["code"], refusal["pairs"]) == ("context_dropped", CONVERSATIONS)
    assert refusal["sources"][0] == "rows.jsonl:1"
    assert refusal["message"] in said["refusal"] + "."


def test_the_template_gets_the_date_and_the_variables_of_the_request(
    api: Api, aws: Aws, seeds: Seeds
) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    put_tokenizer(aws.s3, template="{{ strftime_now('%d.%m.%Y') }}{{ mood }}" + CHATML)

    def opening(**asked: Any) -> str:
        said = receipt(api, dataset.dataset_id, rows_shown=1, **asked).body["data"]
        assert said["settings"]["template_date"] == asked.get("template_date", "2024-07-26")
        assert said["settings"]["template_variables"] == asked.get("template_variables", {})
        return str(said["shown"][0]["segments"][0]["text"])

    assert opening().startswith("26.07.2024<|im_start|>")
    asked = {"template_date": "2026-11-28", "template_variables": {"mood": "calm"}}
    assert opening(**asked).startswith("28.11.2026calm<|im_start|>")


def test_a_missing_tokenizer_is_reported_with_its_prefix(api: Api, seeds: Seeds) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    other = next(one for one in base_models() if one != default_base_model())
    answer = receipt(api, dataset.dataset_id, base_model=other.key)
    assert (answer.status, answer.body["code"]) == (409, "tokenizer_missing")
    assert f"under {other.object_prefix}" in answer.body["error"]
    assert answer.body["details"]["prefix"] == other.object_prefix


def test_a_base_model_is_found_by_its_hub_id_and_an_unknown_one_is_named(
    api: Api, seeds: Seeds
) -> None:
    model = default_base_model()
    assert counted(api, seeds, ROWS, base_model=model.hub_id)["base_model"] == model.key
    unknown = receipt(api, numbered_id(1), base_model="gpt")
    assert (unknown.status, unknown.body["code"]) == (400, "unknown_base_model")


@pytest.mark.parametrize("status", ["uploading", "validating", "error"])
def test_a_dataset_that_is_not_ready_is_a_conflict(api: Api, seeds: Seeds, status: str) -> None:
    dataset = seeds.dataset(status=status)
    answer = receipt(api, dataset.dataset_id)
    assert (answer.status, answer.body["code"]) == (409, "dataset_not_ready")
    assert answer.body["details"]["status"] == status


def test_a_file_that_was_overwritten_is_a_conflict(api: Api, aws: Aws, seeds: Seeds) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    aws.s3.put_object(Bucket="datasets", Key=dataset.storage_path, Body=b"other")
    answer = receipt(api, dataset.dataset_id)
    assert (answer.status, answer.body["code"]) == (409, "object_changed")


def test_another_owners_dataset_is_as_missing_as_an_unknown_one(api: Api, seeds: Seeds) -> None:
    theirs = seeds.dataset(owner_id=STRANGER)
    answer = receipt(api, theirs.dataset_id)
    missing = receipt(api, UNKNOWN)
    assert (answer.status, missing.status) == (404, 404)
    assert answer.text == missing.text.replace(UNKNOWN, theirs.dataset_id)


@pytest.mark.parametrize(
    "asked",
    [
        {"max_seq_length": 31},
        {"max_seq_length": 131_073},
        {"epochs": 0},
        {"batch_size": 65},
        {"rows_shown": 21},
        {"rows_shown": "5"},
        {"base_model": ""},
        {"model": "x"},
        {"template_date": "28.11.2026"},
        {"template_date": "2026-02-30"},
        {"template_date": 20261128},
        {"template_variables": {"messages": []}},
        {"template_variables": {"": 1}},
        {"template_variables": {"two words": 1}},
        {"template_variables": {"long": "x" * 2000}},
        {"template_variables": [1]},
    ],
)
def test_a_request_out_of_range_is_refused_by_field(
    api: Api, seeds: Seeds, asked: dict[str, Any]
) -> None:
    dataset = seeds.countable_dataset(text_of(ROWS))
    answer = receipt(api, dataset.dataset_id, **asked)
    assert answer.status == 400
    assert answer.body["details"][0]["field"] == next(iter(asked))
