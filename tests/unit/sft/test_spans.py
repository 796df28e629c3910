"""An answer is trained after the exact prompt, in its own words, to its stop token; or refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightrun.catalog.base_models import base_models
from brightrun.sft.data import DataReport, TrainingPair
from brightrun.sft.dataset import prepare, refuse_unfit
from brightrun.sft.errors import DatasetError
from brightrun.sft.packing import merge_prefixes
from brightrun.sft.settings import DatasetSettings
from brightrun.sft.templates import ChatFormat, Example
from tests.fakes.chat_templates import FAMILIES, FORMS, UNTEACHABLE, Form, decoded, format_of

ENDLESS = 10**6
SYSTEM = "You are a patient coach.\n\nBe kind."
PLAIN = "Start small:\n\n1. one step\n2. another  step"
THOUGHT = "<think>\nThey are afraid.\n</think>\n\nStart small."
SAID = "They are afraid.\n</think>\n\nStart small."
CLOSES = "\n</think>\n\n"

WORDS = st.text(st.characters(exclude_characters="<[", exclude_categories=["Cs"]), max_size=40)

Turns = list[dict[str, str]]


def asked(answer: str, *, system: bool = False, exchanges: int = 2) -> Turns:
    """A conversation whose last answer is the given one."""
    turns = [{"role": "system", "content": SYSTEM}] if system else []
    for number in range(1, exchanges + 1):
        said = answer if number == exchanges else f"Answer {number}."
        turns.append({"role": "user", "content": f"Question {number}?"})
        turns.append({"role": "assistant", "content": said})
    return turns


def pair_of(turns: Sequence[dict[str, str]], source: str = "x.jsonl:1") -> TrainingPair:
    return TrainingPair("c", tuple(turns), source)


def taught(form: Form, folder: Path, turns: Turns) -> tuple[str, str]:
    """(context, trained text), both read from the token ids."""
    chat = format_of(form, folder)
    report = DataReport()
    example = chat.example(pair_of(turns), ENDLESS, report)
    assert example is not None, report.template_refusals
    ((start, end),) = example.spans
    assert end == len(example.ids)
    context = decoded(folder, example.ids[:start])
    # Exactly what inference shows, and in exactly its tokens.
    assert context == chat.render(_as_shown(chat, turns[:-1]), True)
    assert example.ids[:start] == chat.encode(context)
    return context, decoded(folder, example.ids[start:])


def _as_shown(chat: ChatFormat, turns: Turns) -> Turns:
    if not chat.folds_system or turns[0]["role"] != "system":
        return turns
    system, first, *rest = turns
    return [{"role": "user", "content": f"{system['content']}\n\n{first['content']}"}, *rest]


# What is trained of PLAIN and of THOUGHT after each prompt; None where reasoning is refused.
SPANS: dict[str, tuple[str, str | None]] = {
    "chatml": (f"{PLAIN}<|im_end|>", f"{THOUGHT}<|im_end|>"),
    "default_system": (f"{PLAIN}<|im_end|>", f"{THOUGHT}<|im_end|>"),
    "dated_headers": (f"{PLAIN}<|eot|>", f"{THOUGHT}<|eot|>"),
    "system_in_last_turn": (f" {PLAIN}</s>", f" {THOUGHT}</s>"),
    "prompt_opens_thought": (f"{CLOSES}{PLAIN}<EOS>", f"{SAID}<EOS>"),
    "prompt_opens_thought_tightly": (f"</think>{PLAIN}<EOS>", f"{SAID}<EOS>"),
    "prompt_closes_thought": (f"{PLAIN}<EOS>", None),
    "prompt_empty_thought": (f"{PLAIN}<|im_end|>", None),
    "thought_spaced_otherwise": (f"</think>{PLAIN}<|im_end|>", f"{SAID}<|im_end|>"),
    "thought_written_in_full": (f"{CLOSES}{PLAIN}<|im_end|>", f"{SAID}<|im_end|>"),
    "thought_leaves_history": (f"{PLAIN}<|im_end|>", f"{THOUGHT}<|im_end|>"),
    "prompt_empty_channel": (f"{PLAIN}<turn|>", f"{THOUGHT}<turn|>"),
    "other_tags": (
        f"<|END_THINKING|><|START_TEXT|>{PLAIN}<|END_TEXT|><|END_OF_TURN|>",
        f"<|END_THINKING|><|START_TEXT|>{THOUGHT}<|END_TEXT|><|END_OF_TURN|>",
    ),
    "unclosed": (f"</think>{PLAIN}<|endoftext|>", f"\n{SAID}<|endoftext|>"),
    "plain_words": (f" {PLAIN}</s>", f" {THOUGHT}</s>"),
    "end_after_the_turn": (f"{PLAIN}<|end|>\n<|endoftext|>", f"{THOUGHT}<|end|>\n<|endoftext|>"),
    "no_system": (f"{PLAIN}<end_of_turn>", f"{THOUGHT}<end_of_turn>"),
    "silent_system": (f"{PLAIN}<|im_end|>", f"{THOUGHT}<|im_end|>"),
    "parts": (f" {PLAIN}<end_of_utterance>", f" {THOUGHT}<end_of_utterance>"),
    "indented": (f"{PLAIN}<|im_end|>", f"{THOUGHT}<|im_end|>"),
}


def test_every_form_has_its_spans() -> None:
    assert SPANS.keys() == FORMS.keys()


@pytest.mark.parametrize("exchanges", [1, 3])
@pytest.mark.parametrize("system", [False, True], ids=["alone", "system"])
@pytest.mark.parametrize("name", FORMS)
def test_an_answer_is_trained_in_its_own_words_to_its_stop_token(
    name: str, system: bool, exchanges: int, tmp_path: Path
) -> None:
    turns = asked(PLAIN, system=system, exchanges=exchanges)
    context, trained = taught(FORMS[name], tmp_path, turns)
    assert trained == SPANS[name][0]
    assert not system or SYSTEM in context
    assert f"Question {exchanges}?" in context


@pytest.mark.parametrize("name", [name for name, spans in SPANS.items() if spans[1]])
def test_reasoning_is_trained_as_the_model_must_write_it(name: str, tmp_path: Path) -> None:
    context, trained = taught(FORMS[name], tmp_path, asked(THOUGHT))
    assert trained == SPANS[name][1]
    assert "They are afraid." not in context


@pytest.mark.parametrize("name", [name for name, spans in SPANS.items() if not spans[1]])
def test_reasoning_that_the_template_drops_is_refused_and_counted(
    name: str, tmp_path: Path
) -> None:
    chat, report = format_of(FORMS[name], tmp_path), DataReport()
    assert chat.example(pair_of(asked(THOUGHT)), ENDLESS, report) is None
    (refusal,) = report.template_refusals
    assert (refusal.code, refusal.pairs) == ("reasoning_dropped", 1)
    assert "template_variables" in refusal.message


@pytest.mark.parametrize("name", UNTEACHABLE)
def test_what_a_template_cannot_teach_is_refused_by_name(name: str, tmp_path: Path) -> None:
    form, code = UNTEACHABLE[name]
    chat, report = format_of(form, tmp_path), DataReport()
    for line in (3, 7):
        pair = pair_of(asked(PLAIN), f"x.jsonl:{line}")
        assert chat.example(pair, ENDLESS, report) is None
    (refusal,) = report.template_refusals
    assert (refusal.code, refusal.pairs) == (code, 2)
    assert refusal.sources == ["x.jsonl:3", "x.jsonl:7"]
    assert report.refused_by_template == 2


def test_a_row_that_the_template_refuses_leaves_the_others(tmp_path: Path) -> None:
    chat = format_of(FORMS["system_in_last_turn"], tmp_path)
    twice = [asked("x")[0], *asked(PLAIN)]
    pairs = [pair_of(twice, "x.jsonl:1"), pair_of(asked(PLAIN), "x.jsonl:2")]
    report = DataReport(rows=2, pairs=2)
    dataset = prepare(pairs, [], DatasetSettings(), chat, report)
    refuse_unfit(dataset, DatasetSettings())
    assert len(dataset.train) == 1
    assert report.template_refusals[0].message.endswith("refuses it: roles must take turns")
    assert report.rows_without_trained_tokens_sources == ["x.jsonl:1"]


def test_a_dataset_of_which_the_template_refuses_all_says_why(tmp_path: Path) -> None:
    chat = format_of(FORMS["system_in_last_turn"], tmp_path)
    pairs = [pair_of([asked("x")[0], *asked(PLAIN)], "x.jsonl:4")]
    dataset = prepare(pairs, [], DatasetSettings(), chat, DataReport(rows=1, pairs=1))
    with pytest.raises(DatasetError, match=r"1 refused .* x\.jsonl:4 .* roles must take turns"):
        refuse_unfit(dataset, DatasetSettings())


@pytest.mark.parametrize("name", FORMS)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    answer=WORDS.filter(str.strip),
    question=WORDS,
    system=st.booleans(),
)
def test_any_words_are_trained_as_they_are(
    name: str, answer: str, question: str, system: bool, tmp_path: Path
) -> None:
    chat = FORMATS.setdefault(name, format_of(FORMS[name], tmp_path))
    turns = asked(answer, system=system)
    turns[-2]["content"] = question
    fitted = chat.fit(pair_of(turns), ENDLESS)
    assert fitted.text[: fitted.border] == chat.render(_as_shown(chat, turns[:-1]), True)
    lead, closing = SPANS[name][0].split(PLAIN)
    trained = fitted.text[fitted.border :]
    assert trained.startswith(lead)
    assert trained.endswith(closing)
    body = trained.removeprefix(lead).removesuffix(closing)
    assert body in (answer, answer.lstrip(), answer.rstrip(), answer.strip())


FORMATS: dict[str, ChatFormat] = {}


@pytest.mark.parametrize("word", ["i", "assistant", "m", "<", "think", "end", "thought\n"])
@pytest.mark.parametrize("name", FORMS)
def test_a_short_answer_is_not_mistaken_for_a_part_of_the_template(
    name: str, word: str, tmp_path: Path
) -> None:
    trained = taught(FORMS[name], tmp_path, asked(word))[1]
    lead, closing = SPANS[name][0].split(PLAIN)
    assert trained in (f"{lead}{word}{closing}", f"{lead}{word.strip()}{closing}")


def test_a_command_in_the_question_may_change_the_prompt(tmp_path: Path) -> None:
    """As in models that take a word in the question for a switch."""
    template = (
        FORMS["chatml"]
        .template.replace(
            "{% if add_generation_prompt %}<|im_start|>assistant\n",
            "{% if add_generation_prompt %}<|im_start|>assistant\n"
            "<think>{% if '/no_think' in messages[-1].content %}</think>{% endif %}",
        )
        .replace("{{ m.content }}", "{{ m.content | replace(' /no_think', '') }}")
    )
    form = Form(template, FORMS["chatml"].special, "<|im_end|>")
    turns = asked(PLAIN, exchanges=1)
    assert taught(form, tmp_path, turns)[1] == f"</think>{PLAIN}<|im_end|>"
    turns[0]["content"] += " /no_think"
    assert taught(form, tmp_path, turns)[1] == f"{PLAIN}<|im_end|>"


def examples_of(form: Form, folder: Path, turns: Turns) -> list[Example]:
    chat = format_of(form, folder)
    ends = [at + 1 for at, turn in enumerate(turns) if turn["role"] == "assistant"]
    found = [chat.example(pair_of(turns[:end]), ENDLESS, DataReport()) for end in ends]
    return [example for example in found if example is not None]


# Forms whose every turn has a context of its own: with a system prompt only, or always.
APART_WITH_SYSTEM = {"system_in_last_turn"}
APART = {
    "prompt_opens_thought",
    "prompt_opens_thought_tightly",
    "prompt_empty_thought",
    "thought_spaced_otherwise",
    "thought_written_in_full",
    "prompt_empty_channel",
    "other_tags",
    "unclosed",
    "plain_words",
    "end_after_the_turn",
    "indented",
}


@pytest.mark.parametrize("system", [False, True], ids=["alone", "system"])
@pytest.mark.parametrize("name", FORMS)
def test_answers_share_a_sequence_where_inference_shares_their_context(
    name: str, system: bool, tmp_path: Path
) -> None:
    examples = examples_of(FORMS[name], tmp_path, asked(PLAIN, system=system, exchanges=3))
    assert len(examples) == 3
    merged = merge_prefixes(examples, limit=10)
    apart = name in APART or (system and name in APART_WITH_SYSTEM)
    assert len(merged) == (3 if apart else 1)
    assert sum(example.targets() for example in merged) == sum(one.targets() for one in examples)


@pytest.mark.parametrize("exchanges", [1, 2])
@pytest.mark.parametrize("system", [False, True], ids=["alone", "system"])
@pytest.mark.parametrize("model", base_models(), ids=lambda model: model.key)
def test_every_model_of_the_catalogue_trains_with_and_without_a_system_prompt(
    model: object, system: bool, exchanges: int, tmp_path: Path
) -> None:
    hub_id: str = model.hub_id  # type: ignore[attr-defined]
    (name,) = {form for start, form in FAMILIES.items() if hub_id.startswith(start)}
    turns = asked(PLAIN, system=system, exchanges=exchanges)
    context, trained = taught(FORMS[name], tmp_path, turns)
    assert (SYSTEM in context) == system
    assert trained == SPANS[name][0]


def test_a_row_loses_its_oldest_turns_under_a_template_that_moves_the_system_prompt(
    tmp_path: Path,
) -> None:
    chat, report = format_of(FORMS["system_in_last_turn"], tmp_path), DataReport()
    turns = asked(PLAIN, system=True, exchanges=4)
    whole = chat.fit(pair_of(turns), ENDLESS)
    cut = chat.example(pair_of(turns), len(whole.ids) - 1, report)
    assert cut is not None
    context = decoded(tmp_path, cut.ids[: cut.spans[0][0]])
    assert SYSTEM in context
    assert "Question 1?" not in context
    assert report.history_turns_dropped == 2
