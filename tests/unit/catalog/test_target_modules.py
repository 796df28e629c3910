"""Which modules may be trained: for every base model those that vLLM serves, by their names."""

from __future__ import annotations

from itertools import combinations

import pytest

from brightrun.catalog.base_models import BaseModelEntry, base_models
from brightrun.catalog.presets import PRESET_IDS, PRESETS, complete
from brightrun.core.errors import InvalidInputError
from brightrun.sft.servable import VLLM_MODULES

OWN = {"learning_rate": 1e-4, "batch_size": 4, "epochs": 1, "rank": 8}
each_model = pytest.mark.parametrize("model", base_models(), ids=lambda model: model.key)


@each_model
def test_all_linear_and_every_choice_of_a_models_modules_is_accepted(model: BaseModelEntry) -> None:
    model.require_servable("all-linear")
    for count in range(1, len(model.target_modules) + 1):
        for chosen in combinations(model.target_modules, count):
            model.require_servable(",".join(chosen))


@each_model
def test_what_a_catalogue_model_allows_is_what_an_adapters_inspection_accepts(
    model: BaseModelEntry,
) -> None:
    assert set(model.target_modules) <= VLLM_MODULES
    assert len(model.target_modules) == 7


@each_model
@pytest.mark.parametrize(
    ("modules", "named"),
    [
        ("lm_head", "'lm_head'"),
        ("q_proj,lm_head", "'lm_head'"),
        ("embed_tokens", "'embed_tokens'"),
        ("lm_head,q_proj,embed_tokens", "'lm_head', 'embed_tokens'"),
        ("embeddings", "'embeddings'"),
        ("wte", "'wte'"),
        ("norm", "'norm'"),
        ("all", "'all'"),
        ("*", r"'\*'"),
        (".*", r"'\.\*'"),
        (".*proj", r"'\.\*proj'"),
        ("q_proj|lm_head", r"'q_proj\|lm_head'"),
        ("model.layers.0.self_attn.q_proj", "'model.layers.0.self_attn.q_proj'"),
        ("all-linear,q_proj", "'all-linear'"),
        ("All-Linear", "'All-Linear'"),
        ("Q_PROJ", "'Q_PROJ'"),
        ("q_proj ", "'q_proj '"),
        ("q_proj,", "''"),
        ("qkv_proj", "'qkv_proj'"),
        ("gate_up_proj", "'gate_up_proj'"),
        ("q_proj,v_proj,q_proj", "'q_proj': named more than once"),
        ("", "names no module"),
        (",", "names no module"),
    ],
)
def test_any_other_name_is_refused_with_what_to_use(
    model: BaseModelEntry, modules: str, named: str
) -> None:
    use = f"Use all-linear alone.*some of {', '.join(model.target_modules)}"
    with pytest.raises(InvalidInputError, match=f"{named}.*{use}") as refusal:
        model.require_servable(modules)
    assert refusal.value.details[0]["field"] == "hyperparameters.target_modules"


def test_presets_train_every_linear_module() -> None:
    assert {values.target_modules for values in PRESETS.values()} == {"all-linear"}
    assert complete("custom", OWN)[1].target_modules == "all-linear"


@pytest.mark.parametrize("preset", PRESET_IDS)
def test_modules_are_taken_beside_every_preset(preset: str) -> None:
    given = {"target_modules": ["q_proj", "v_proj"], **(OWN if preset == "custom" else {})}
    named, values = complete(preset, given)
    assert (named, values.target_modules) == ("custom", "q_proj,v_proj")


def test_the_default_named_as_such_leaves_a_preset_what_it_is() -> None:
    assert complete("fast", {"target_modules": ["all-linear"]})[0] == "fast"
