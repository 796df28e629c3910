"""What vLLM serves and PEFT loads, checked without either."""

from __future__ import annotations

from typing import Any

import pytest

from brightrun.catalog.base_models import ALL_LINEAR
from brightrun.core.errors import UnusableAdapterError
from brightrun.training.adapters import inspect_adapter
from brightrun.training.adapters.archive import Tensor, header_bytes, read_header
from tests.fakes import adapter
from training_container.trainer import servable

NAMES = [*inspect_adapter.REQUIRED, "tokenizer.json", inspect_adapter.CHAT_TEMPLATE]


def test_every_linear_module_has_the_same_name_in_the_catalog_and_in_the_container() -> None:
    assert servable.ALL_LINEAR == ALL_LINEAR


@pytest.mark.parametrize(("rank", "most"), [(4, 8), (8, 8), (9, 16), (128, 128), (512, 512)])
def test_a_rank_is_served_by_the_next_larger_limit(rank: int, most: int) -> None:
    assert inspect_adapter.check_settings(adapter.adapter_config(r=rank), rank) == most


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"r": 8}, "rank"),
        ({"peft_type": "IA3"}, "IA3"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"use_dora": True}, "use_dora"),
        ({"bias": "all"}, "biases"),
        ({"target_modules": ["model.router"]}, "router"),
        ({"target_modules": []}, "nothing"),
    ],
)
def test_settings_that_vllm_refuses_are_named(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(UnusableAdapterError, match=named):
        inspect_adapter.check_settings(adapter.adapter_config(**changes), 16)


def test_a_rank_above_what_vllm_serves_is_refused() -> None:
    with pytest.raises(UnusableAdapterError, match="513"):
        inspect_adapter.check_settings(adapter.adapter_config(r=513), 513)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(name: str) -> None:
    with pytest.raises(UnusableAdapterError, match=name.replace(".", r"\.")):
        inspect_adapter.check_files([one for one in NAMES if one != name], {})


def test_a_chat_template_may_be_in_the_tokenizers_settings() -> None:
    inspect_adapter.check_files(NAMES[:-1], {"chat_template": "{{ messages }}"})


def test_the_values_of_a_complete_adapter_are_counted() -> None:
    body = adapter.a_safetensors(16)
    length = header_bytes(body[:8], len(body))
    tensors = read_header(body[8 : 8 + length], len(body))
    assert len(tensors) == 4
    assert inspect_adapter.check_tensors(tensors, 16) == 4 * 16 * adapter.WIDTH


@pytest.mark.parametrize(
    ("tensor", "named"),
    [
        (Tensor("lm_head.weight", "BF16", (16, 64)), "not part"),
        (Tensor("a.lora_A.weight", "BF16", (16, 64)), "other half"),
    ],
)
def test_a_tensor_that_is_no_pair_is_refused(tensor: Tensor, named: str) -> None:
    with pytest.raises(UnusableAdapterError, match=named):
        inspect_adapter.check_tensors([tensor], 16)


def test_a_pair_of_another_rank_and_an_empty_adapter_are_refused() -> None:
    pair = [
        Tensor("a.lora_A.weight", "F32", (8, 64)),
        Tensor("a.lora_B.weight", "F32", (64, 8)),
    ]
    with pytest.raises(UnusableAdapterError, match="not the rank 16"):
        inspect_adapter.check_tensors(pair, 16)
    with pytest.raises(UnusableAdapterError, match="no tensor"):
        inspect_adapter.check_tensors([], 16)


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:-1],
        lambda body: body + b"\0",
        lambda body: body.replace(b'"BF16"', b'"I8"  ', 1),
        lambda body: body.replace(b'"data_offsets": [0, ', b'"data_offsets": [2, ', 1),
        lambda body: body.replace(b'{"__meta', b'["__meta', 1),
        lambda body: (2**40).to_bytes(8, "little") + body[8:],
        lambda _: b"\1\2",
    ],
)
def test_damaged_weights_are_noticed_by_their_header(damage: Any) -> None:
    body = damage(adapter.a_safetensors(16))
    with pytest.raises(UnusableAdapterError):
        read_header(body[8 : 8 + header_bytes(body[:8], len(body))], len(body))
