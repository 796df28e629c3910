"""Chat templates of every form that public models have, each as short as its form allows.

None is a public model's own text. `FAMILIES` says which form each model of the catalogue has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brightrun.sft.tokenizer import TOKENIZER, OfflineTokenizer
from tests.fakes.tokenizer import write_tokenizer

DATE = "2026-11-28"


@dataclass(frozen=True)
class Form:
    """A template, its special tokens, and what its tokenizer calls the end of a text."""

    template: str
    special: Sequence[str]
    eos: str | None
    variables: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Save a tokenizer of single bytes with this template."""
        special = ["<pad>", *self.special]
        return write_tokenizer(folder, self.template, special=special, eos=self.eos)


def decoded(folder: Path, ids: Sequence[int]) -> str:
    """The text of token ids, special tokens too."""
    from tokenizers import Tokenizer

    text: str = Tokenizer.from_file(str(folder / TOKENIZER)).decode(ids, skip_special_tokens=False)
    return text


def format_of(form: Form, folder: Path) -> Any:
    """The form's chat format, from files in the folder."""
    return OfflineTokenizer(form.write(folder)).chat_format(form.variables, DATE)


_TURN = "<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
_PROMPT = "{% if add_generation_prompt %}<|im_start|>assistant\n"
_LAST_THOUGHT = "{{ m.content.split('</think>')[-1] | trim }}"
_CHATML = ("<|im_start|>", "<|im_end|>")
_SEEK = ("<BOS>", "<EOS>", "<|User|>", "<|Assistant|>", "<think>", "</think>")
_COHERE = (
    "<|USER|>", "<|CHATBOT|>", "<|END_OF_TURN|>", "<|START_THINKING|>", "<|END_THINKING|>",
    "<|START_TEXT|>", "<|END_TEXT|>",
)  # fmt: skip


def _seek(prompt: str, answer: str = _LAST_THOUGHT) -> str:
    return (
        "<BOS>{% for m in messages %}{% if m.role == 'system' %}{{ m.content }}"
        "{% elif m.role == 'user' %}<|User|>{{ m.content }}"
        "{% else %}<|Assistant|>" + answer + "<EOS>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|Assistant|>" + prompt + "{% endif %}"
    )


def _chatml(answer: str, prompt: str) -> str:
    return (
        "{% for m in messages %}{% if m.role == 'assistant' %}<|im_start|>assistant\n"
        + answer
        + "<|im_end|>\n{% else %}"
        + _TURN
        + "{% endif %}{% endfor %}"
        + _PROMPT
        + prompt
        + "{% endif %}"
    )


FORMS: dict[str, Form] = {
    "chatml": Form(_chatml("{{ m.content }}", ""), _CHATML, "<|im_end|>"),
    # A system prompt of its own where the row has none (Qwen 2.5).
    "default_system": Form(
        "{% if messages[0].role != 'system' %}<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
        + _chatml("{{ m.content }}", ""),
        _CHATML,
        "<|im_end|>",
    ),
    # The date in a system turn that is always written; trimmed contents (Llama 3).
    "dated_headers": Form(
        "<|begin|>{% if messages[0].role == 'system' %}{% set said = messages[0].content | trim %}"
        "{% set rest = messages[1:] %}{% else %}{% set said = '' %}{% set rest = messages %}"
        "{% endif %}{% if not date_string is defined %}"
        "{% set date_string = strftime_now('%d %b %Y') %}{% endif %}"
        "<|head|>system<|tail|>\n\nToday: {{ date_string }}\n\n{{ said }}<|eot|>"
        "{% for m in rest %}<|head|>{{ m.role }}<|tail|>\n\n{{ m.content | trim }}<|eot|>"
        "{% endfor %}{% if add_generation_prompt %}<|head|>assistant<|tail|>\n\n{% endif %}",
        ("<|begin|>", "<|head|>", "<|tail|>", "<|eot|>"),
        "<|eot|>",
    ),
    # The system prompt in the last user turn, only while that is the last message (Mistral v0.3).
    "system_in_last_turn": Form(
        "{% if messages[0].role == 'system' %}{% set said = messages[0].content %}"
        "{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}<s>"
        "{% for m in rest %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
        "{{ raise_exception('roles must take turns') }}{% endif %}{% if m.role == 'user' %}"
        "[INST] {% if loop.last and said is defined %}{{ said + '\n\n' }}{% endif %}"
        "{{ m.content }}[/INST]{% else %} {{ m.content | trim }}</s>{% endif %}{% endfor %}",
        ("<s>", "</s>", "[INST]", "[/INST]"),
        "</s>",
    ),
    # A prompt that opens reasoning; renderings have none of it (R1).
    "prompt_opens_thought": Form(_seek("<think>\n"), _SEEK, "<EOS>"),
    # The same, and the block is never closed by white space (V3.1, thinking).
    "prompt_opens_thought_tightly": Form(
        _seek("<think>", "</think>" + _LAST_THOUGHT), _SEEK, "<EOS>"
    ),
    # A prompt that closes reasoning at once, as do renderings, which drop it (V3.1, not thinking).
    "prompt_closes_thought": Form(
        _seek("</think>", "</think>" + _LAST_THOUGHT), _SEEK, "<EOS>"
    ),
    # An empty block in the prompt that renderings lack (QwQ without thinking).
    "prompt_empty_thought": Form(
        _chatml(_LAST_THOUGHT, "<think>\n</think>"), _CHATML, "<|im_end|>"
    ),
    # Both have the block, with other white space (Nemotron 3).
    "thought_spaced_otherwise": Form(
        _chatml(
            "{% if '</think>' in m.content %}{{ m.content }}{% else %}<think></think>"
            "{{ m.content }}{% endif %}",
            "<think>\n",
        ),
        _CHATML,
        "<|im_end|>",
    ),
    # The prompt has begun the block that renderings write in full (Qwen 3.5).
    "thought_written_in_full": Form(
        _chatml(
            "{% if '</think>' in m.content %}{% set thought = m.content.split('</think>')[0]"
            ".split('<think>')[-1] | trim %}{% else %}{% set thought = '' %}{% endif %}"
            "{% if loop.last %}<think>\n{{ thought }}\n</think>\n\n{% endif %}" + _LAST_THOUGHT,
            "<think>\n",
        ),
        _CHATML,
        "<|im_end|>",
    ),
    # Reasoning stays in the last answer and leaves the history (Qwen 3).
    "thought_leaves_history": Form(
        _chatml("{% if loop.last %}{{ m.content }}{% else %}" + _LAST_THOUGHT + "{% endif %}", ""),
        _CHATML,
        "<|im_end|>",
    ),
    # A channel of reasoning in the prompt that renderings lack (Gemma 4).
    "prompt_empty_channel": Form(
        "{% for m in messages %}<|turn>{{ 'model' if m.role == 'assistant' else m.role }}\n"
        "{{ m.content | trim }}<turn|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|turn>model\n<|channel>thought\n<channel|>{% endif %}",
        ("<|turn>", "<turn|>", "<|channel>", "<channel|>"),
        "<turn|>",
    ),
    # Tags of other names, text in a block of its own, and the prompt in every rendering (Command).
    "other_tags": Form(
        "{% for m in messages %}{% if m.role == 'assistant' %}<|CHATBOT|><|START_TEXT|>"
        "{{ m.content }}<|END_TEXT|><|END_OF_TURN|>{% else %}<|USER|>{{ m.content }}"
        "<|END_OF_TURN|>{% endif %}{% endfor %}<|CHATBOT|><|START_THINKING|>",
        _COHERE,
        "<|END_OF_TURN|>",
    ),
    # Turns that nothing closes (GLM).
    "unclosed": Form(
        "{% for m in messages %}<|{{ m.role }}|>{% if m.role == 'assistant' and not '</think>' in "
        "m.content %}</think>{% endif %}{{ m.content | trim }}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|><think>{% endif %}",
        ("<|system|>", "<|user|>", "<|assistant|>", "<|endoftext|>", "<think>", "</think>"),
        "<|endoftext|>",
    ),
    # Plain words for roles, and a name for the end of the text that no turn has (Vicuna, Alpaca).
    "plain_words": Form(
        "{% for m in messages %}{{ '\n' + m.role | upper + ': ' + m.content }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '\nASSISTANT:' }}{% endif %}",
        ("</s>",),
        "</s>",
    ),
    # The text ends after the turn did (Phi 3).
    "end_after_the_turn": Form(
        "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% else %}<|endoftext|>{% endif %}",
        ("<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<|endoftext|>"),
        "<|endoftext|>",
    ),
    # No system role: refused (Gemma 2), and dropped in silence.
    "no_system": Form(
        "{% for m in messages %}{% if m.role == 'system' %}"
        "{{ raise_exception('System role not supported') }}{% endif %}<start_of_turn>"
        "{{ 'model' if m.role == 'assistant' else 'user' }}\n{{ m.content | trim }}<end_of_turn>\n"
        "{% endfor %}{% if add_generation_prompt %}<start_of_turn>model\n{% endif %}",
        ("<start_of_turn>", "<end_of_turn>"),
        "<end_of_turn>",
    ),
    "silent_system": Form(
        "{% for m in messages %}{% if m.role != 'system' %}" + _TURN + "{% endif %}{% endfor %}"
        + _PROMPT + "{% endif %}",
        _CHATML,
        "<|im_end|>",
    ),
    # Contents as lists of parts only (Idefics 3).
    "parts": Form(
        "{% for m in messages %}{{ m.role | capitalize }}:{% for part in m.content %}"
        "{% if part.type == 'text' %} {{ part.text }}{% endif %}{% endfor %}<end_of_utterance>\n"
        "{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}",
        ("<end_of_utterance>",),
        "<end_of_utterance>",
    ),
    # Indentation is text, and the prompt has other white space than a turn (pretty-printed files).
    "indented": Form(
        "{%- for m in messages %}\n\n        <|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        "{% endfor %}\n{% if add_generation_prompt %}\n    <|im_start|>assistant\n\n{% endif %}",
        _CHATML,
        "<|im_end|>",
    ),
}  # fmt: skip
"""Forms that can be trained on."""

UNTEACHABLE: dict[str, tuple[Form, str]] = {
    "answers_cut": (
        Form(_chatml("{{ m.content[:12] }}", ""), _CHATML, "<|im_end|>"),
        "answer_changed",
    ),
    "answers_rewritten": (
        Form(_chatml("{{ m.content | replace('  ', ' ') | upper }}", ""), _CHATML, "<|im_end|>"),
        "answer_changed",
    ),
    "answers_dropped": (Form(_chatml("", ""), _CHATML, "<|im_end|>"), "answer_changed"),
    "answers_moved": (
        Form(
            "{% for m in messages if m.role == 'assistant' %}" + _TURN + "{% endfor %}"
            "{% for m in messages if m.role != 'assistant' %}" + _TURN + "{% endfor %}"
            + _PROMPT + "{% endif %}",
            _CHATML,
            "<|im_end|>",
        ),
        "answer_changed",
    ),
    "question_dropped": (
        Form(
            "{% for m in messages if m.role != 'user' %}" + _TURN + "{% endfor %}"
            + _PROMPT + "{% endif %}",
            _CHATML,
            "<|im_end|>",
        ),
        "context_dropped",
    ),
    "never_stops": (
        Form("{% for m in messages %}{{ m.content + '\n' }}{% endfor %}", ("<s>",), None),
        "no_stop_token",
    ),
    "wants_tools": (
        Form("{% for tool in tools %}{{ tool }}{% endfor %}", _CHATML, "<|im_end|>"),
        "template_error",
    ),
}  # fmt: skip
"""Forms that cannot teach an answer, with the code that says why."""

FAMILIES: dict[str, str] = {
    "meta-llama/Llama-3": "dated_headers",
    "Qwen/Qwen2.5": "default_system",
    "mistralai/Mistral-7B-Instruct-v0.3": "system_in_last_turn",
    "brightrun-tiny": "chatml",
}
"""The form of a catalogue model's template, by the beginning of its hub id."""
