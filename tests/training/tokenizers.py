"""Small tokenizers of the families that base models have, saved as hub files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training_container.tiny_model import SPECIAL_TOKENS, TEMPLATES, sentences, tiny_tokenizer

FAMILIES = ("bytes", "metaspace", "unigram")
"""Byte-level BPE, BPE over metaspace with byte fallback, and unigram."""


def save_tokenizer(folder: Path, family: str, style: str) -> Path:
    """Write a tokenizer of the family with the chat template; returns the folder."""
    corpus = list(sentences(0, 60))
    tokenizer = (
        tiny_tokenizer(corpus, style, 600) if family == "bytes" else _spaced(corpus, family, style)
    )
    tokenizer.save_pretrained(folder)
    return folder


def _spaced(corpus: list[str], family: str, style: str) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", *SPECIAL_TOKENS]
    if family == "metaspace":
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
        pieces = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
        trainer: Any = trainers.BpeTrainer(
            vocab_size=900, special_tokens=pieces, show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.NFKC()
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(
            vocab_size=500, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(corpus, trainer)
    text, closing = TEMPLATES[style]
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token=closing, unk_token="<unk>"
    )
    wrapped.chat_template = text
    return wrapped
