"""The chat format of the base model as transformers renders it, the same as at inference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brightrun.sft.data import Message
from brightrun.sft.errors import ModelError
from brightrun.sft.templates import ChatFormat, writes_system


def chat_format(tokenizer: Any, variables: Mapping[str, Any]) -> ChatFormat:
    """The chat format of a Hugging Face tokenizer; ModelError when it has no chat template."""
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise ModelError("the tokenizer has no chat template; choose an instruct model.")

    def render(messages: Sequence[Message], add_generation_prompt: bool) -> str:
        try:
            text = tokenizer.apply_chat_template(
                list(messages),
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **variables,
            )
        except TemplateError as error:
            raise ValueError(str(error)) from error
        return str(text)

    def encode(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    stops = frozenset({*special, *tokenizer.all_special_ids})
    return ChatFormat(render, encode, stops, not writes_system(render))
