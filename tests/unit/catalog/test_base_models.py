"""The catalog of base models: complete, with pinned revisions."""

from __future__ import annotations

import re

import pytest

from brightrun.catalog.base_models import (
    BaseModelEntry,
    base_model,
    base_models,
    default_base_model,
)
from brightrun.core.errors import UnknownBaseModelError


@pytest.mark.parametrize("model", base_models(), ids=lambda model: model.key)
def test_the_sizes_of_a_model_add_up_to_its_parameters(model: BaseModelEntry) -> None:
    heads = 1 if model.tied_embeddings else 2
    counted = model.body_parameters + heads * model.head_parameters
    assert counted == pytest.approx(model.parameters, rel=0.001)  # norms and biases are the rest


@pytest.mark.parametrize("model", base_models(), ids=lambda model: model.key)
def test_a_model_has_a_chat_template_and_a_pinned_revision(model: BaseModelEntry) -> None:
    assert model.chat_template
    assert model.local_only or re.fullmatch("[0-9a-f]{40}", model.revision)
    assert model.object_prefix == f"{model.key}/{model.revision}/"


def test_no_model_is_marked_as_compared_with_the_hub() -> None:
    assert [one.key for one in base_models() if one.revision_verified] == ["brightrun-tiny"]


def test_the_default_is_an_instruct_model_that_needs_no_permission() -> None:
    default = default_base_model()
    assert not default.gated
    assert not default.local_only
    assert default.key.endswith("instruct")


def test_a_model_is_found_by_its_key_and_by_its_name_on_the_hub() -> None:
    found = base_model("meta-llama/Llama-3.1-8B-Instruct")
    assert found == base_model("llama-3.1-8b-instruct")


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownBaseModelError, match="use one of llama-3.2-3b-instruct, .*tiny"):
        base_model("gpt-2")
