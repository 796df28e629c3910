"""Without transformers the same text and the same ids: on every style, and beyond ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from brightrun.sft.errors import ModelError
from brightrun.sft.settings import TEMPLATE_DATE
from brightrun.sft.templates import ChatFormat
from brightrun.sft.tokenizer import CONFIG, TEMPLATE, TOKENIZER, OfflineTokenizer
from tests.training.jobs import SYSTEM, conversation
from tests.training.tokenizers import FAMILIES, save_tokenizer
from training_container.tiny_model import TEMPLATES
from training_container.trainer.chat import chat_format

STYLES = sorted(TEMPLATES)

WIDE_TEMPLATE = """\
{%- set today = strftime_now("%d %b %Y") %}
{{- bos_token }}
{%- macro head(role) %}<|start_header_id|>{{ role }}<|end_header_id|>{% endmacro %}
{% for m in messages %}
    {%- if m.role == "system" and not m.content %}{% continue %}{% endif %}
    {#- a comment -#}
    {{- head(m.role) }}

    {% generation %}{% set inner = "unseen" %}{{ m["content"] | tojson }}{{ eos_token -}}
    {% endgeneration %}
    {{ inner is defined }} {{ {"ä": "<b>", "n": [1, none]} | tojson(indent=2) }}
    {%- if loop.index > 40 %}{% break %}{% endif %}
{% endfor %}
{{ today }} {{ namespace(a=tools, b=documents).a }} {{ dict(a=1) }}
{%- if add_generation_prompt %}{{ head("assistant") }}{% endif %}
"""
"""What hub templates use beyond our styles: macros, dates, JSON, control of space and loops."""


def load(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def both(folder: Path, variables: dict[str, Any] | None = None) -> tuple[ChatFormat, ChatFormat]:
    """(without transformers, the trainer's with transformers' own rendering)."""
    ours = OfflineTokenizer(folder).chat_format(variables or {}, TEMPLATE_DATE)
    tokenizer = load(folder)

    def render(messages: Any, add_generation_prompt: bool) -> str:
        return str(
            tokenizer.apply_chat_template(
                list(messages),
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **(variables or {}),
            )
        )

    return ours, replace(chat_format(tokenizer, variables or {}), render=render)


@pytest.fixture(autouse=True)
def _transformers_have_our_date(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.utils import chat_template_utils

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Fixed:  # noqa: ARG003 - as the original takes it
            return cls.fromisoformat(TEMPLATE_DATE)

    monkeypatch.setattr(chat_template_utils, "datetime", Fixed)


def assert_equal(ours: ChatFormat, theirs: ChatFormat, messages: list[dict[str, str]]) -> None:
    for prompt in (False, True):
        text = ours.render(messages, prompt)
        assert text == theirs.render(messages, prompt)
        assert ours.encode(text) == theirs.encode(text)


def conversations() -> list[list[dict[str, str]]]:
    head = {"role": "system", "content": SYSTEM}
    odd = "  <|im_end|> \t\n\n«ß» 日本 🙂 {{ x }} {% y %} </s> "
    return [
        conversation(1, 1),
        [head, *conversation(2, 3)],
        [{"role": "user", "content": odd}, {"role": "assistant", "content": odd}],
    ]


@pytest.fixture
def saved(tmp_path: Path, tokenizer_of: Callable[[str], Any]) -> Callable[[str], Path]:
    def save(style: str) -> Path:
        tokenizer_of(style).save_pretrained(tmp_path / style)
        return tmp_path / style

    return save


@pytest.mark.parametrize("style", STYLES)
def test_text_and_ids_are_those_of_transformers(style: str, saved: Callable[[str], Path]) -> None:
    ours, theirs = both(saved(style))
    assert (ours.special_tokens, ours.folds_system) == (theirs.special_tokens, theirs.folds_system)
    for messages in conversations():
        shown = messages[1:] if style == "turns" and messages[0]["role"] == "system" else messages
        assert_equal(ours, theirs, shown)


def test_the_tiny_model_is_read_alike(tiny_model: Path) -> None:
    ours, theirs = both(tiny_model)
    for messages in conversations():
        assert_equal(ours, theirs, messages)
        direct = load(tiny_model).apply_chat_template(messages, return_dict=False)
        assert ours.encode(ours.render(messages, False)) == list(direct)


def test_everything_that_hub_templates_use_is_rendered_alike(saved: Callable[[str], Path]) -> None:
    folder = saved("chatml")
    (folder / TEMPLATE).write_text(WIDE_TEMPLATE, "utf-8")
    ours, theirs = both(folder)
    for messages in conversations():
        assert_equal(ours, theirs, messages)
    silent = [{"role": "system", "content": ""}, *conversation(1, 1)]
    assert_equal(ours, theirs, silent)


def test_template_variables_reach_the_template(saved: Callable[[str], Path]) -> None:
    folder = saved("chatml")
    (folder / TEMPLATE).write_text("{{ mood }}{{ eos_token }}{{ pad_token }}", "utf-8")
    ours, theirs = both(folder, {"mood": "calm", "eos_token": "END"})
    assert ours.render(conversation(1, 1), True) == theirs.render(conversation(1, 1), True)
    assert ours.render([], False).startswith("calmEND")


@pytest.mark.parametrize("shape", ["text", "list"])
def test_a_template_in_the_settings_is_found_too(shape: str, saved: Callable[[str], Path]) -> None:
    folder = saved("headers")
    text = (folder / TEMPLATE).read_text("utf-8")
    (folder / TEMPLATE).unlink()
    settings_of = json.loads((folder / CONFIG).read_bytes())
    named = [{"name": "tool_use", "template": "-"}, {"name": "default", "template": text}]
    settings_of["chat_template"] = text if shape == "text" else named
    (folder / CONFIG).write_text(json.dumps(settings_of), "utf-8")
    ours, theirs = both(folder)
    assert_equal(ours, theirs, conversation(1, 2))
    assert OfflineTokenizer(folder).template.file == CONFIG


def test_tokens_that_only_the_settings_name_are_added(saved: Callable[[str], Path]) -> None:
    folder = saved("chatml")
    settings_of = json.loads((folder / CONFIG).read_bytes())
    settings_of |= {"sep_token": "<|sep|>", "extra_special_tokens": ["<|more|>"]}
    (folder / CONFIG).write_text(json.dumps(settings_of), "utf-8")
    ours, theirs = both(folder)
    assert ours.special_tokens == theirs.special_tokens
    assert ours.encode("a<|more|>b<|sep|>") == theirs.encode("a<|more|>b<|sep|>")


def test_length_limits_in_the_tokenizers_file_cut_nothing(saved: Callable[[str], Path]) -> None:
    from tokenizers import Tokenizer

    folder = saved("chatml")
    limited = Tokenizer.from_file(str(folder / TOKENIZER))
    limited.enable_truncation(5)
    limited.enable_padding(length=50)
    limited.save(str(folder / TOKENIZER))
    ours, theirs = both(folder)
    assert_equal(ours, theirs, conversation(1, 3))


@pytest.mark.parametrize("family", FAMILIES)
def test_other_families_of_tokenizers_are_read_alike(family: str, tmp_path: Path) -> None:
    ours, theirs = both(save_tokenizer(tmp_path, family, "inst"))
    assert ours.special_tokens == theirs.special_tokens
    for messages in conversations():
        assert_equal(ours, theirs, messages)


@pytest.mark.parametrize("name", ["Qwen2Tokenizer", "GPT2Tokenizer", "LlamaTokenizer"])
def test_classes_that_transformers_builds_anew_are_read_alike(name: str, tmp_path: Path) -> None:
    """transformers rebuilds these from the vocabulary in tokenizer.json, which then must agree."""
    import transformers
    from tokenizers import Tokenizer

    made = getattr(transformers, name)
    family = "metaspace" if name == "LlamaTokenizer" else "bytes"
    base = Tokenizer.from_file(str(save_tokenizer(tmp_path, family, "inst") / TOKENIZER))
    model = json.loads(base.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = made(vocab=model["vocab"], merges=merges, eos_token="</s>", bos_token="<s>")
    tokenizer.chat_template = TEMPLATES["inst"][0]
    tokenizer.save_pretrained(tmp_path / name)
    ours, theirs = both(tmp_path / name)
    for messages in conversations():
        assert_equal(ours, theirs, messages)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=80))
def test_any_text_has_the_same_ids(text: str, tiny_model: Path) -> None:
    ours, theirs = READ.setdefault(tiny_model, both(tiny_model))
    assert ours.encode(text) == theirs.encode(text)


READ: dict[Path, tuple[ChatFormat, ChatFormat]] = {}


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        (TOKENIZER, None, "there is no tokenizer.json"),
        (TOKENIZER, "{}", "tokenizer.json cannot be read"),
        (CONFIG, None, "there is no tokenizer_config.json"),
        (CONFIG, "[", "tokenizer_config.json is not JSON"),
        (CONFIG, "[]", "must hold a JSON object"),
        (TEMPLATE, None, "no chat template"),
        (TEMPLATE, "{% if %}", "syntax error in line 1"),
    ],
)
def test_unusable_files_are_named(
    name: str, content: str | None, complaint: str, saved: Callable[[str], Path]
) -> None:
    folder = saved("chatml")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content, "utf-8")
    with pytest.raises(ModelError, match=re.escape(complaint)):
        OfflineTokenizer(folder).chat_format({}, TEMPLATE_DATE)


def test_a_template_cannot_reach_the_machine(saved: Callable[[str], Path]) -> None:
    folder = saved("chatml")
    (folder / TEMPLATE).write_text(
        "{{ messages.__class__.__base__.__subclasses__() }}{{ cycler.__init__.__globals__.os }}"
    )
    ours, _ = both(folder)
    with pytest.raises(ValueError, match="unsafe"):
        ours.render(conversation(1, 1), False)


@pytest.mark.parametrize(
    "text", ["{{ 1 + 'a' }}", "{% set n = namespace(_a=1) %}", "{{ none.x.y }}"]
)
def test_whatever_a_template_fails_with_is_its_refusal(
    text: str, saved: Callable[[str], Path]
) -> None:
    folder = saved("chatml")
    (folder / TEMPLATE).write_text(text)
    ours = OfflineTokenizer(folder).chat_format({}, TEMPLATE_DATE)
    with pytest.raises(ValueError, match=r"\w"):
        ours.render(conversation(1, 1), False)
