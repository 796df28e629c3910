"""Merging, packing, chunking and recomputing change the cost of a step, never its gradient."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch.nn import functional

from brightrun.sft.data import DataReport, TrainingPair
from brightrun.sft.errors import ModelError
from brightrun.sft.packing import merge_prefixes, pack, saved_factor
from brightrun.sft.templates import Example
from tests.training.attention_kernel import Version, kernel_stand_in
from tests.training.jobs import conversation
from training_container.trainer import attention, loss
from training_container.trainer.chat import chat_format
from training_container.trainer.config import run_config
from training_container.trainer.evaluate import check_packing
from training_container.trainer.loss import Microbatch, summed_nll
from training_container.trainer.model import (
    attach_adapter,
    enable_checkpointing,
    load_tokenizer,
    trained_parameters,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def examples(tiny_model: Path) -> list[Example]:
    chat = chat_format(load_tokenizer({"pretrained_model_name_or_path": str(tiny_model)}), {})
    found = []
    for seed in range(5):
        messages = conversation(seed, 3)
        for end in (2, 4, 6):
            pair = TrainingPair(f"c{seed}", tuple(messages[:end]), "x:1")
            found.append(chat.example(pair, 10**6, DataReport()))
    return [example for example in found if example is not None]


def model_of(folder: Path, **how: Any) -> Any:
    """The tiny model in fp64 with an adapter that already does something."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    source = {"pretrained_model_name_or_path": str(folder)}
    base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64, **how)
    model = attach_adapter(base, run_config({"rank": 4}), source)
    with torch.no_grad():
        for parameter in trained_parameters(model).values():
            parameter.normal_(0, 0.05)
    return model


def loss_and_gradient(
    model: Any, examples: Sequence[Example], bins: Sequence[Sequence[int]]
) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    total = 0.0
    for members in bins:
        nll = summed_nll(model, Microbatch.from_examples([examples[i] for i in members], CPU))
        nll.backward()
        total += nll.item()
    gradient = [p.grad.flatten() for p in trained_parameters(model).values()]
    return total, torch.cat(gradient)


def one_by_one(examples: Sequence[Example]) -> list[list[int]]:
    return [[i] for i in range(len(examples))]


def test_packed_equals_one_by_one(tiny_model: Path, examples: list[Example]) -> None:
    model = model_of(tiny_model)
    bins = pack(range(len(examples)), examples, 500)
    assert max(len(members) for members in bins) > 1
    packed = loss_and_gradient(model, examples, bins)
    alone = loss_and_gradient(model, examples, one_by_one(examples))
    assert packed[0] == pytest.approx(alone[0], rel=1e-9)
    torch.testing.assert_close(packed[1], alone[1], rtol=1e-9, atol=1e-9)


def test_merged_equals_unmerged_for_a_third_of_the_tokens(
    tiny_model: Path, examples: list[Example]
) -> None:
    model = model_of(tiny_model)
    merged = merge_prefixes(examples, limit=10)
    assert saved_factor(examples, merged) > 1.8
    together = loss_and_gradient(model, merged, one_by_one(merged))
    apart = loss_and_gradient(model, examples, one_by_one(examples))
    assert together[0] == pytest.approx(apart[0], rel=1e-9)
    # Norms and rotations inside the model round to fp32, in another order.
    assert (together[1] - apart[1]).norm() < 1e-6 * apart[1].norm()


def test_loss_equals_transformers_own(tiny_model: Path, examples: list[Example]) -> None:
    model = model_of(tiny_model)
    for example in examples[:4]:
        labels = torch.full((1, len(example.ids)), -100)
        for start, end in example.spans:
            labels[0, start:end] = torch.tensor(example.ids[start:end])
        theirs = model(input_ids=torch.tensor([example.ids]), labels=labels).loss
        ours = summed_nll(model, Microbatch.from_examples([example], CPU)) / example.targets()
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)


def test_another_examples_tokens_do_not_change_ones_hidden_states(
    tiny_model: Path, examples: list[Example]
) -> None:
    model = model_of(tiny_model)
    first, second, third = examples[0], examples[4], examples[8]
    with torch.no_grad():
        states = [
            loss.hidden_states(model, Microbatch.from_examples([other, first], CPU))[
                -first.targets() :
            ]
            for other in (second, third)
        ]
    torch.testing.assert_close(*states, rtol=1e-6, atol=1e-6)


def test_chunked_head_has_the_gradient_of_autograd(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "CHUNK", 7)
    torch.manual_seed(0)
    weight, bias = torch.randn(50, 16), torch.randn(50)
    targets = torch.randint(0, 50, (23,))
    hidden = [torch.randn(23, 16).requires_grad_() for _ in range(2)]
    with torch.no_grad():
        hidden[1].copy_(hidden[0])
    logits = functional.linear(hidden[0], weight, bias)
    (functional.cross_entropy(logits, targets, reduction="sum") / 3).backward()
    ours = loss._FrozenHeadLoss.apply(  # type: ignore[no-untyped-call]
        hidden[1], weight, bias, targets
    )
    (ours / 3).backward()
    torch.testing.assert_close(hidden[1].grad, hidden[0].grad)


def test_recomputing_changes_nothing(tiny_model: Path, examples: list[Example]) -> None:
    model = model_of(tiny_model)
    kept = loss_and_gradient(model, examples, [[0, 4, 8]])
    enable_checkpointing(model)
    recomputed = loss_and_gradient(model, examples, [[0, 4, 8]])
    assert recomputed[0] == kept[0]
    torch.testing.assert_close(recomputed[1], kept[1])


@pytest.mark.parametrize("version", get_args(Version))
def test_gpu_attention_path_equals_the_cpu_one(
    tiny_model: Path,
    examples: list[Example],
    monkeypatch: pytest.MonkeyPatch,
    version: Version,
) -> None:
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel_stand_in(version))
    attention.register_varlen()
    with_masks = loss_and_gradient(model_of(tiny_model), examples, [[0, 4, 8]])
    varlen = model_of(tiny_model, attn_implementation=attention.NAME)
    with_borders = loss_and_gradient(varlen, examples, [[0, 4, 8]])
    assert with_borders[0] == pytest.approx(with_masks[0], rel=1e-9)
    torch.testing.assert_close(with_borders[1], with_masks[1], rtol=1e-9, atol=1e-9)


def test_sliding_window_reaches_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def kernel(query: torch.Tensor, *_: Any, **settings: Any) -> torch.Tensor:
        seen.update(settings)
        return query

    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel)
    states = torch.randn(1, 2, 5, 4)
    borders = torch.tensor([0, 5], dtype=torch.int32)
    attention.varlen_attention(
        torch.nn.Identity(), states, states, states, None,
        cu_seq_lens_q=borders, max_length_q=5, sliding_window=3,
    )  # fmt: skip
    assert seen["window_size"] == (2, 0)


@pytest.mark.parametrize("settings", [{"sliding_window": 3}, {"scaling": 1.0}])
def test_what_the_kernel_of_an_older_torch_lacks_is_refused(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", kernel_stand_in("2.10"))
    states = torch.randn(1, 2, 5, 4)
    with pytest.raises(ModelError, match="build the image for CUDA 13"):
        attention.varlen_attention(
            torch.nn.Identity(), states, states, states, None,
            cu_seq_lens_q=torch.tensor([0, 5]), max_length_q=5, **settings,
        )  # fmt: skip


def test_capped_attention_scores_are_refused() -> None:
    states = torch.randn(1, 2, 5, 4)
    with pytest.raises(ModelError, match="caps its scores"):
        attention.varlen_attention(
            torch.nn.Identity(), states, states, states, None,
            cu_seq_lens_q=torch.tensor([0, 5]), max_length_q=5, softcap=30.0,
        )  # fmt: skip


def test_packing_check_accepts_a_model_that_keeps_examples_apart(
    tiny_model: Path, examples: list[Example]
) -> None:
    check_packing(model_of(tiny_model).float(), examples, CPU)


def test_packing_check_finds_attention_that_looks_across_borders(
    tiny_model: Path, examples: list[Example]
) -> None:
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    def leaky(_module: Any, q: Any, k: Any, v: Any, _mask: Any, **__: Any) -> tuple[Any, None]:
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return out.transpose(1, 2), None

    AttentionInterface.register("leaky", leaky)
    AttentionMaskInterface.register("leaky", lambda *_, **__: None)
    model = model_of(tiny_model, attn_implementation="leaky").float()
    with pytest.raises(ModelError, match="see each other"):
        check_packing(model, examples, CPU)


def test_architecture_that_rescales_its_logits_is_refused(examples: list[Example]) -> None:
    from transformers import GraniteConfig, GraniteForCausalLM

    base = GraniteForCausalLM(
        GraniteConfig(
            vocab_size=600, hidden_size=16, intermediate_size=32, num_hidden_layers=1,
            num_attention_heads=2, num_key_value_heads=1, logits_scaling=4.0,
        )
    )  # fmt: skip
    source = {"pretrained_model_name_or_path": "granite"}
    model = attach_adapter(base, run_config({"rank": 4}), source)
    with pytest.raises(ModelError, match="rescales its logits"):
        check_packing(model, examples, CPU)
