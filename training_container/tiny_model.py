"""Builds a base model of a few hundred kilobytes: seeded, in a hub model's files, no download.

For CPU runs of the real container. Its text is meaningless, but its files are those of a hub model:
safetensors, a byte-level tokenizer, a chat template, a generation config.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

SPECIAL_TOKENS = (
    "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>",
    "<|end_header_id|>", "<|eot_id|>", "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>",
)  # fmt: skip

_CHATML_TURN = "{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
_CHATML_PROMPT = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"

TEMPLATES: dict[str, tuple[str, str]] = {
    "chatml": (
        "{% for m in messages %}" + _CHATML_TURN + "{% endfor %}" + _CHATML_PROMPT,
        "<|im_end|>",
    ),
    "headers": (
        "{{ '<s>' }}{% for m in messages %}{{ '<|start_header_id|>' + m['role'] "
        "+ '<|end_header_id|>\n\n' + m['content'] | trim + '<|eot_id|>' }}{% endfor %}"
        "{% if add_generation_prompt %}"
        "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
        "<|eot_id|>",
    ),
    "inst": (
        "{{ '<s>' }}{% set state = namespace(system='', last='assistant') %}"
        "{% for m in messages %}{% if m['role'] == 'system' %}"
        "{% set state.system = m['content'] + '\n\n' %}"
        "{% else %}{% if m['role'] == state.last %}"
        "{{ raise_exception('roles must take turns') }}{% endif %}"
        "{% set state.last = m['role'] %}"
        "{% if m['role'] == 'user' %}{{ '[INST] ' + state.system + m['content'] + ' [/INST]' }}"
        "{% set state.system = '' %}{% else %}{{ ' ' + m['content'] + '</s>' }}{% endif %}"
        "{% endif %}{% endfor %}",
        "</s>",
    ),
    "turns": (
        "{{ '<s>' }}{% for m in messages %}{% if m['role'] == 'system' %}"
        "{{ raise_exception('no system role here') }}{% endif %}"
        "{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else 'user') + '\n' "
        "+ m['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}",
        "<end_of_turn>",
    ),
    "thinking": (
        "{% for m in messages %}"
        "{% if m['role'] == 'assistant' and not loop.last and '</think>' in m['content'] %}"
        "{{ '<|im_start|>assistant\n' + m['content'].split('</think>')[-1] + '<|im_end|>\n' }}"
        "{% else %}" + _CHATML_TURN + "{% endif %}{% endfor %}" + _CHATML_PROMPT,
        "<|im_end|>",
    ),
}
"""Chat-template styles by name, each with the token that closes an answer. `thinking` drops
earlier reasoning from the history, so its renderings do not open one another."""

_OPENINGS = ("It makes sense", "I hear", "Thank you for saying", "Many people notice", "I see")
_FEELINGS = ("worry", "relief", "shame", "hope", "doubt", "pride", "confusion", "calm")
_THINGS = (
    "the mortgage", "an index fund", "your student loan", "the emergency fund", "a pension plan",
    "credit card debt", "the monthly budget", "an insurance policy", "the tax return", "a raise",
)  # fmt: skip
_ADVICE = (
    "start with one small step", "write down the numbers first", "compare the fees and the risk",
    "talk about it with your partner", "set aside a fixed amount every month",
    "wait a week before you decide", "pay the most expensive debt first",
)  # fmt: skip


def sentences(seed: int, count: int) -> Iterator[str]:
    """Seeded sentences in the tone of the product's conversations."""
    draw = random.Random(seed)  # noqa: S311 - text, not a secret
    for _ in range(count):
        thing, feeling = draw.choice(_THINGS), draw.choice(_FEELINGS)
        yield (
            f"{draw.choice(_OPENINGS)} that {feeling} comes up around {thing}. With {thing}, "
            f"{draw.choice(_ADVICE)}, then {draw.choice(_ADVICE)}. What would change if {feeling} "
            f"took {draw.randint(2, 90)} percent less room?"
        )


def build_tiny_model(
    folder: Path,
    *,
    seed: int = 0,
    template: str = "chatml",
    texts: Sequence[str] = (),
    vocabulary: int = 2048,
    hidden: int = 64,
    pretraining_steps: int = 150,
) -> None:
    """Write a Llama-shaped model with `template`'s chat format; equal arguments, equal weights.

    `texts` join the built-in sentences when the tokenizer is trained, so that their words get
    tokens of their own; the model learns the sentences alone. Takes a few seconds.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    learned = list(sentences(seed, 400))
    tokenizer = tiny_tokenizer(list(dict.fromkeys([*learned, *texts])), template, vocabulary)
    torch.manual_seed(seed)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=hidden,
            intermediate_size=hidden * 11 // 4,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=16384,
            tie_word_embeddings=False,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    _pretrain(model, tokenizer, learned, seed, pretraining_steps)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def tiny_tokenizer(corpus: Sequence[str], template: str, vocabulary: int) -> Any:
    """A byte-level tokenizer of at most `vocabulary` tokens with the named chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    text, closing = TEMPLATES[template]
    pad, begin, *_ = SPECIAL_TOKENS
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token=begin, eos_token=closing, pad_token=pad
    )
    tokenizer.chat_template = text
    tokenizer.model_max_length = 16384
    return tokenizer


def _pretrain(model: Any, tokenizer: Any, corpus: Sequence[str], seed: int, steps: int) -> None:
    """Train briefly on plain text, so that the adapter starts from a model that is not random."""
    import torch

    ids = torch.tensor([i for text in corpus for i in tokenizer(text)["input_ids"]])
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        starts = torch.randint(0, len(ids) - 97, (8,), generator=draw)
        batch = torch.stack([ids[start : start + 96] for start in starts])
        model(input_ids=batch, labels=batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()


def main() -> None:
    """Build a tiny model from the command line."""
    parser = argparse.ArgumentParser(description="Build a tiny base model for CPU runs.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--template", choices=sorted(TEMPLATES), default="chatml")
    parser.add_argument("--corpus", type=Path, help="a dataset whose words get tokens of their own")
    arguments = parser.parse_args()

    import torch

    torch.set_num_threads(1)  # the matrices are too small for more threads to help
    lines = arguments.corpus.read_text("utf-8").splitlines() if arguments.corpus else []
    texts = [text for line in lines for text in _strings(json.loads(line))]
    build_tiny_model(
        arguments.folder, seed=arguments.seed, template=arguments.template, texts=texts
    )
    sys.stdout.write(f"{arguments.folder}\n")


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


if __name__ == "__main__":
    main()
