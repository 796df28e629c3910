"""Loss falls on the assistant's answer and its stop token, right to the token, on every style."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightrun.sft.data import DataReport, TrainingPair, read_pairs
from brightrun.sft.errors import ModelError
from brightrun.sft.packing import merge_prefixes
from brightrun.sft.templates import ChatFormat
from brightrun.sft.tokenizer import OfflineTokenizer
from tests.fakes.chat_templates import DATE, FORMS, decoded, format_of
from tests.training.jobs import SYSTEM, conversation, pair_rows, write_rows
from tests.training.tokenizers import save_tokenizer
from training_container.tiny_model import TEMPLATES
from training_container.trainer.chat import chat_format

STYLES = sorted(TEMPLATES)
ENDLESS = 10**6

GENERATION_MARKS = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ '<|im_start|>assistant\n' }}"
    "{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def pairs_of(messages: list[dict[str, str]], name: str = "c") -> list[TrainingPair]:
    return [
        TrainingPair(name, tuple(messages[: i + 1]), f"train.jsonl:{i}")
        for i, message in enumerate(messages)
        if message["role"] == "assistant"
    ]


def with_system(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, *messages]


def trained_texts(tokenizer: Any, example: Any) -> list[str]:
    return [tokenizer.decode(example.ids[start:end]) for start, end in example.spans]


def test_there_are_at_least_four_template_styles() -> None:
    assert len(STYLES) >= 4


@pytest.mark.parametrize("style", STYLES)
def test_every_answer_is_trained_whole_with_its_stop_token(
    style: str, tokenizer_of: Callable[[str], Any], chat_of: Callable[[str], ChatFormat]
) -> None:
    tokenizer, chat, closing = tokenizer_of(style), chat_of(style), TEMPLATES[style][1]
    for seed in range(12):
        for pair in pairs_of(with_system(conversation(seed, 3))):
            example = chat.example(pair, ENDLESS, DataReport())
            assert example is not None
            (text,) = trained_texts(tokenizer, example)
            assert text.lstrip() == pair.messages[-1]["content"] + closing


@pytest.mark.parametrize("style", STYLES)
def test_the_context_is_exactly_what_inference_will_show(
    style: str, tokenizer_of: Callable[[str], Any], chat_of: Callable[[str], ChatFormat]
) -> None:
    tokenizer, chat = tokenizer_of(style), chat_of(style)
    for pair in pairs_of(conversation(5, 3)):
        example = chat.example(pair, ENDLESS, DataReport())
        prompt = tokenizer.apply_chat_template(
            list(pair.messages[:-1]), add_generation_prompt=True, return_dict=False
        )
        assert example is not None
        assert example.ids[: example.spans[0][0]] == list(prompt)


@pytest.mark.parametrize("style", sorted(set(STYLES) - {"thinking"}))
def test_merged_conversation_trains_all_its_answers_and_nothing_else(
    style: str, tokenizer_of: Callable[[str], Any], chat_of: Callable[[str], ChatFormat]
) -> None:
    tokenizer, chat, closing = tokenizer_of(style), chat_of(style), TEMPLATES[style][1]
    messages = with_system(conversation(3, 4))
    examples = [chat.example(p, ENDLESS, DataReport()) for p in pairs_of(messages)]
    (merged,) = merge_prefixes([e for e in examples if e is not None], limit=10)
    texts = [text.lstrip() for text in trained_texts(tokenizer, merged)]
    assert texts == [m["content"] + closing for m in messages if m["role"] == "assistant"]


def test_mask_equals_the_one_of_generation_marks(tokenizer_of: Callable[[str], Any]) -> None:
    import copy

    marked = copy.deepcopy(tokenizer_of("chatml"))
    marked.chat_template = GENERATION_MARKS
    chat = chat_format(marked, {})
    for seed in range(20):
        messages = with_system(conversation(seed, 3))
        examples = [chat.example(p, ENDLESS, DataReport()) for p in pairs_of(messages)]
        (merged,) = merge_prefixes([e for e in examples if e is not None], limit=10)
        oracle = marked.apply_chat_template(
            messages, return_dict=True, return_assistant_tokens_mask=True
        )
        ours = [0] * len(oracle["input_ids"])
        for start, end in merged.spans:
            ours[start:end] = [1] * (end - start)
        assert ours == list(oracle["assistant_masks"])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(answer=st.text(min_size=1, max_size=60), question=st.text(min_size=1, max_size=30))
def test_any_text_is_trained_as_it_is_after_the_exact_prompt(
    answer: str, question: str, tokenizer_of: Callable[[str], Any]
) -> None:
    tokenizer = tokenizer_of("chatml")
    messages = ({"role": "user", "content": question}, {"role": "assistant", "content": answer})
    example = chat_format(tokenizer, {}).example(
        TrainingPair("c", messages, "x:1"), ENDLESS, DataReport()
    )
    prompt = tokenizer.apply_chat_template(
        list(messages[:1]), add_generation_prompt=True, return_dict=False
    )
    assert example is not None
    start, end = example.spans[0]
    assert example.ids[:start] == list(prompt)
    assert tokenizer.decode(example.ids[start:end]) == answer + "<|im_end|>"


def test_reasoning_that_the_template_drops_from_history_gets_its_own_context(
    tokenizer_of: Callable[[str], Any], chat_of: Callable[[str], ChatFormat]
) -> None:
    messages = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "<think>x</think>one"},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": "<think>y</think>two"},
    ]
    examples = [chat_of("thinking").example(p, ENDLESS, DataReport()) for p in pairs_of(messages)]
    merged = merge_prefixes([e for e in examples if e is not None], limit=10)
    tokenizer = tokenizer_of("thinking")
    assert [trained_texts(tokenizer, example) for example in merged] == [
        ["<think>x</think>one<|im_end|>"],
        ["<think>y</think>two<|im_end|>"],
    ]
    assert "<think>x" not in tokenizer.decode(merged[1].ids)


def test_duplicated_user_turn_of_v4_rows_is_dropped_so_that_strict_templates_accept_them(
    tmp_path: Any, chat_of: Callable[[str], ChatFormat]
) -> None:
    write_rows(tmp_path / "train.jsonl", pair_rows(conversation(1, 3), "c"))
    report = DataReport()
    pairs = read_pairs(tmp_path, report)
    roles = [[message["role"] for message in pair.messages[1:]] for pair in pairs]
    assert all(r == ["user", "assistant"] * (len(r) // 2) for r in roles)
    assert report.duplicated_turns_dropped == 3
    assert all(chat_of("inst").example(pair, ENDLESS, report) for pair in pairs)


def test_template_without_a_system_role_gets_the_prompt_in_the_first_user_turn(
    tokenizer_of: Callable[[str], Any], chat_of: Callable[[str], ChatFormat]
) -> None:
    chat = chat_of("turns")
    example = chat.example(pairs_of(with_system(conversation(2, 1)))[0], ENDLESS, DataReport())
    assert example is not None
    assert chat.folds_system
    assert f"<start_of_turn>user\n{SYSTEM}\n\n" in tokenizer_of("turns").decode(example.ids)


@pytest.mark.parametrize("style", STYLES)
def test_over_long_pair_loses_its_oldest_turns_and_never_its_answer(
    style: str, tokenizer_of: Callable[[str], Any], chat_of: Callable[[str], ChatFormat]
) -> None:
    tokenizer, chat = tokenizer_of(style), chat_of(style)
    pair = pairs_of(with_system(conversation(4, 4)))[-1]
    whole = chat.example(pair, ENDLESS, DataReport())
    assert whole is not None
    report = DataReport()
    cut = chat.example(pair, len(whole.ids) - 1, report)
    assert cut is not None
    assert trained_texts(tokenizer, cut) == trained_texts(tokenizer, whole)
    text = tokenizer.decode(cut.ids)
    assert SYSTEM in text
    assert pair.messages[1]["content"] not in text
    assert pair.messages[3]["content"] in text
    assert (report.pairs_with_dropped_history, report.history_turns_dropped) == (1, 2)


def test_pair_that_cannot_fit_is_refused_and_counted(chat_of: Callable[[str], ChatFormat]) -> None:
    report = DataReport()
    pair = pairs_of(conversation(4, 4))[-1]
    assert chat_of("chatml").example(pair, 20, report) is None
    assert (report.pairs_too_long, report.too_long_sources) == (1, [pair.source])


def test_row_that_the_template_refuses_is_counted_and_named(
    chat_of: Callable[[str], ChatFormat],
) -> None:
    turns = ({"role": "user", "content": "a"}, {"role": "user", "content": "b"})
    pair = TrainingPair("c", (*turns, {"role": "assistant", "content": "x"}), "train.jsonl:7")
    report = DataReport()
    assert chat_of("inst").example(pair, ENDLESS, report) is None
    (refusal,) = report.template_refusals
    assert (refusal.code, refusal.sources) == ("template_error", ["train.jsonl:7"])
    assert refusal.message.endswith("roles must take turns")


def test_tokenizer_without_a_template_is_refused(tokenizer_of: Callable[[str], Any]) -> None:
    import copy

    tokenizer = copy.deepcopy(tokenizer_of("chatml"))
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="no chat template"):
        chat_format(tokenizer, {})


@pytest.mark.parametrize("system", [False, True], ids=["alone", "system"])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_template_is_read_alike_with_and_without_transformers(
    name: str, system: bool, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    offline = format_of(FORMS[name], tmp_path)
    chat = chat_format(AutoTokenizer.from_pretrained(tmp_path, local_files_only=True), {}, DATE)
    messages = conversation(3, 3)
    for pair in pairs_of(with_system(messages) if system else messages):
        example = chat.example(pair, ENDLESS, DataReport())
        assert example is not None
        assert example == offline.example(pair, ENDLESS, DataReport())
        assert pair.messages[-1]["content"] in decoded(tmp_path, example.ids[example.spans[0][0] :])


def test_an_answer_with_characters_that_the_tokenizer_does_not_know_is_refused(
    tmp_path: Path,
) -> None:
    from transformers import AutoTokenizer

    folder = save_tokenizer(tmp_path, "unigram", "chatml")
    offline = OfflineTokenizer(folder).chat_format({}, DATE)
    trainers = chat_format(AutoTokenizer.from_pretrained(folder, local_files_only=True), {})
    asked = {"role": "user", "content": "How are you 日本?"}
    for said, codes in (("I see 日本.", ["unknown_characters"]), ("I see <unk>.", []), ("I.", [])):
        pair = TrainingPair("c", (asked, {"role": "assistant", "content": said}), "x:1")
        for chat in (offline, trainers):
            report = DataReport()
            chat.example(pair, ENDLESS, report)
            assert [one.code for one in report.template_refusals] == codes
