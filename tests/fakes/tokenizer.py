"""A base model's tokenizer, as small as one can be: single bytes and a few special tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from brightrun.catalog.base_models import BaseModelEntry, default_base_model
from brightrun.sft.tokenizer import CONFIG, TEMPLATE, TOKENIZER, OfflineTokenizer

SPECIAL = ("<pad>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def tokenizer_files(
    template: str = CHATML, special: Sequence[str] = SPECIAL, eos: str | None = SPECIAL[2]
) -> dict[str, bytes]:
    """The files by name; every byte of a text is a token."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in special])
    config = {"pad_token": special[0], "eos_token": eos}
    return {
        TOKENIZER: tokenizer.to_str().encode(),
        CONFIG: json.dumps(config).encode(),
        TEMPLATE: template.encode(),
    }


def write_tokenizer(folder: Path, template: str = CHATML, **how: Any) -> Path:
    """Write the files into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tokenizer_files(template, **how).items():
        (folder / name).write_bytes(content)
    return folder


def put_tokenizer(
    s3: Any, model: BaseModelEntry | None = None, template: str = CHATML
) -> BaseModelEntry:
    """Put the files where an operator puts a base model's; gives the model."""
    model = model or default_base_model()
    for name, content in tokenizer_files(template).items():
        s3.put_object(Bucket="base-models", Key=f"{model.object_prefix}{name}", Body=content)
    return model


class InMemoryTokenizers:
    """Tokenizers in memory."""

    def __init__(self) -> None:
        self.tokenizers: dict[str, OfflineTokenizer] = {}

    def tokenizer(self, prefix: str) -> OfflineTokenizer | None:
        return self.tokenizers.get(prefix)
