"""A base model's tokenizer and chat template from its files, with the `tokenizers` library alone.

What transformers adds on loading is added here too; tests/training/test_offline_tokenizer.py holds
both to the same text and the same ids.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from brightrun.sft.errors import ModelError
from brightrun.sft.jinja import renderer
from brightrun.sft.templates import ChatFormat, chat_format_of

TOKENIZER, CONFIG, TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"
TOKENIZER_FILES = (TOKENIZER, CONFIG, TEMPLATE)
"""The files that are read; the last one may be missing where the second holds a template."""


@dataclass(frozen=True)
class ChatTemplate:
    """The template of a base model, the file it stands in, and its name there."""

    text: str
    file: str
    name: str = "default"

    @property
    def sha256(self) -> str:
        """The hash of its text, hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class OfflineTokenizer:
    """The tokenizer in a folder of a hub model's files; raises ModelError where it is unusable."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import AddedToken, Tokenizer

        self._config = _config(folder / CONFIG)
        self.template = _template(folder, self._config)
        path = folder / TOKENIZER
        if not path.is_file():
            raise ModelError(f"there is no {TOKENIZER} in {folder}; save the tokenizer as one.")
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(path))
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
            raise ModelError(f"{TOKENIZER} cannot be read: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = bool(self._config.get("split_special_tokens"))
        known = {token.content for token in self._added().values()}
        self._tokenizer.add_tokens(
            [
                AddedToken(**{"special": True, **token})
                for token in _tokens_of(self._config)
                if token["content"] not in known
            ]
        )

    @cached_property
    def named_tokens(self) -> dict[str, str]:
        """The tokens that a template may refer to by name, such as bos_token."""
        return {
            name: _content(value)
            for name, value in self._config.items()
            if name.endswith("_token") and isinstance(value, str | dict)
        }

    @cached_property
    def special_tokens(self) -> dict[str, int]:
        """All special tokens by their text; one in a conversation's text is encoded as itself."""
        ids = {token.content: i for i, token in self._added().items() if token.special}
        for text in self.named_tokens.values():
            ids[text] = self._tokenizer.token_to_id(text)
        return ids

    def encode(self, text: str) -> list[int]:
        """The ids of a text, with no special tokens added."""
        (encoding,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        ids: list[int] = encoding.ids
        return ids

    def chat_format(self, variables: Mapping[str, Any], date: str) -> ChatFormat:
        """The chat format with these template variables, on this date; raises ModelError."""
        render = renderer(self.template.text, {**self.named_tokens, **variables}, date)
        names = self.named_tokens
        return chat_format_of(
            render,
            self.encode,
            self.special_tokens,
            eos_token=names.get("eos_token"),
            unk_token=names.get("unk_token"),
        )

    def _added(self) -> dict[int, Any]:
        added: dict[int, Any] = self._tokenizer.get_added_tokens_decoder()
        return added


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"there is no {CONFIG} in {path.parent}; it names the special tokens.")
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelError(f"{CONFIG} is not JSON: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{CONFIG} must hold a JSON object.")
    return config


def _template(folder: Path, config: Mapping[str, Any]) -> ChatTemplate:
    """The model's template: a file of its own goes before the one in the tokenizer's settings."""
    path = folder / TEMPLATE
    if path.is_file():
        return ChatTemplate(path.read_text("utf-8"), TEMPLATE)
    found = config.get("chat_template")
    if isinstance(found, list):
        found = next((one["template"] for one in found if one.get("name") == "default"), None)
    if not isinstance(found, str) or not found:
        raise ModelError("the tokenizer has no chat template; choose an instruct model.")
    return ChatTemplate(found, CONFIG)


def _tokens_of(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tokens that the settings declare, in the order in which transformers adds them."""
    declared = config.get("added_tokens_decoder") or {}
    added = [declared[i] for i in sorted(declared, key=int)]
    named = [value for name, value in config.items() if name.endswith("_token") and value]
    extra = config.get("extra_special_tokens") or config.get("additional_special_tokens") or []
    more = [*named, *(extra.values() if isinstance(extra, dict) else extra)]
    tokens = [*added, *({"content": _content(one)} for one in more if isinstance(one, str | dict))]
    unique: dict[str, dict[str, Any]] = {}
    for token in tokens:
        kept = {key: value for key, value in token.items() if key in _ADDED_TOKEN_FIELDS}
        unique.setdefault(token["content"], kept)
    return list(unique.values())


_ADDED_TOKEN_FIELDS = ("content", "single_word", "lstrip", "rstrip", "normalized", "special")


def _content(token: str | Mapping[str, Any]) -> str:
    return token if isinstance(token, str) else str(token["content"])
