"""The chat format of the base model, the same as at inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from brightrun.sft.errors import ModelError
from brightrun.sft.jinja import renderer
from brightrun.sft.settings import TEMPLATE_DATE
from brightrun.sft.templates import ChatFormat, chat_format_of


def chat_format(
    tokenizer: Any, variables: Mapping[str, Any], date: str = TEMPLATE_DATE
) -> ChatFormat:
    """The chat format of a Hugging Face tokenizer; ModelError when it has no chat template.

    It is rendered by our own code, which can fix the date; transformers gives templates its clock.
    """
    if not tokenizer.chat_template:
        raise ModelError("the tokenizer has no chat template; choose an instruct model.")
    names = {**tokenizer.special_tokens_map, **variables}
    render = renderer(tokenizer.get_chat_template(), names, date)

    def encode(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    special = {
        token.content: i for i, token in tokenizer.added_tokens_decoder.items() if token.special
    }
    named = zip(tokenizer.all_special_tokens, tokenizer.all_special_ids, strict=True)
    return chat_format_of(
        render,
        encode,
        {**special, **dict(named)},
        eos_token=tokenizer.eos_token,
        unk_token=tokenizer.unk_token,
    )
