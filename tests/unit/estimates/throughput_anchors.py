"""Published speeds of LoRA training: the points that the estimate's constants were fitted on.

Tokens a second of one GPU. The models are those of the publications, by the sizes of their
config.json; most are too old for the registry. Trainers that run eager PyTorch, as Bright Run's
does, fit the catalog's efficiencies; those that compile or fuse the layers have their own here.
"""

from __future__ import annotations

from typing import NamedTuple

from brightrun.catalog.base_models import BaseModelEntry


def shape(
    name: str, layers: int, hidden: int, intermediate: int, kv: tuple[int, int], vocab: int
) -> BaseModelEntry:
    attention_heads, kv_heads = kv
    return BaseModelEntry(
        key=name,
        hub_id=name,
        revision="",
        revision_verified=False,
        parameters=0,
        layers=layers,
        hidden=hidden,
        intermediate=intermediate,
        attention_heads=attention_heads,
        kv_heads=kv_heads,
        vocab=vocab,
        tied_embeddings=False,
        context_length=8192,
        chat_template=True,
        license="",
        gated=False,
        token_factor=1.0,
    )


QWEN_1_8B = shape("qwen-1.8b", 24, 2048, 5504, (16, 16), 151936)
QWEN_7B = shape("qwen-7b", 32, 4096, 11008, (32, 32), 151936)
QWEN_14B = shape("qwen-14b", 40, 5120, 13696, (40, 40), 152064)
QWEN25_7B = shape("qwen2.5-7b", 28, 3584, 18944, (28, 4), 152064)
LLAMA2_7B = shape("llama2-7b", 32, 4096, 11008, (32, 32), 32000)
LLAMA31_8B = shape("llama-3.1-8b", 32, 4096, 14336, (32, 8), 128256)
LLAMA32_3B = shape("llama-3.2-3b", 28, 3072, 8192, (24, 8), 128256)
LLAMA31_70B = shape("llama-3.1-70b", 80, 8192, 28672, (64, 8), 128256)


FUSED_EFFICIENCY = {"A100-80GB": 0.52, "A100-40GB": 0.52, "H100": 0.42}
"""Share of the peak that trainers with compiled or fused layers reach."""


class Anchor(NamedTuple):
    """`fused`: the publisher compiled or fused the layers' operations."""

    source: str
    model: BaseModelEntry
    gpu: str
    context: float
    microbatch_tokens: int
    recompute: bool
    fused: bool
    tokens_per_second: float
    quantized: bool = False


def _qwen(model: BaseModelEntry, length: int, seconds: float) -> Anchor:
    """The README of Qwen 1: seconds for eight sequences of one length, one at a time."""
    return Anchor(
        f"Qwen README, {model.key}, length {length}",
        model,
        "A100-80GB",
        length / 2,
        length,
        recompute=True,
        fused=False,
        tokens_per_second=8 * length / seconds,
    )


ANCHORS = (
    _qwen(QWEN_7B, 256, 1.2),
    _qwen(QWEN_7B, 512, 1.5),
    _qwen(QWEN_7B, 1024, 2.8),
    _qwen(QWEN_7B, 2048, 5.2),
    _qwen(QWEN_7B, 4096, 10.1),
    _qwen(QWEN_7B, 8192, 21.3),
    _qwen(QWEN_14B, 256, 1.6),
    _qwen(QWEN_14B, 2048, 8.4),
    _qwen(QWEN_14B, 8192, 36.0),
    _qwen(QWEN_1_8B, 256, 1.0),
    _qwen(QWEN_1_8B, 2048, 1.7),
    _qwen(QWEN_1_8B, 8192, 6.8),
    Anchor("LLaMA-Factory wiki, FA2", LLAMA2_7B, "A100-40GB", 512, 4096, True, False, 2954),
    Anchor("LLaMA-Factory wiki, Unsloth", LLAMA2_7B, "A100-40GB", 512, 4096, True, True, 4007),
    Anchor("NeMo AutoModel, Llama3-8B", LLAMA31_8B, "H100", 2048, 8192, False, True, 12472.9),
    Anchor("NeMo AutoModel, Qwen2.5-7B", QWEN25_7B, "H100", 2048, 8192, False, True, 14110),
    # Short rows of Alpaca, packed to 2 x 4,096 tokens, masked apart, compiled, checkpointed.
    Anchor("torchtune README, 3B LoRA", LLAMA32_3B, "A100-80GB", 128, 8192, True, True, 8210),
    Anchor(
        "torchtune README, 3B QLoRA", LLAMA32_3B, "A100-80GB", 128, 8192, True, True, 8035, True
    ),
    Anchor("torchtune README, 8 GPUs", LLAMA31_70B, "A100-80GB", 1024, 4096, True, True, 3497 / 8),
)
