"""The base models that an adapter can be trained on: data with pinned revisions."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from brightrun.core.errors import InvalidInputError, UnknownBaseModelError

ALL_LINEAR = "all-linear"
"""PEFT's name for every linear module of a model but its output layer."""
LLAMA_MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""The linear modules of a layer of Llama, and of Qwen2 and Mistral, which have the same."""


class BaseModelEntry(BaseModel):
    """A model of catalog/base_models.json; its sizes are those of its config.json.

    `revision` pins a commit of the hub repository `hub_id`; `revision_verified` is False if it was
    not compared with the hub. A `local_only` model is generated locally and trains on a CPU.
    `token_factor` is how many tokens the model's tokenizer makes of each token that validation
    counts (with a vocabulary of 200,000): measured on the product's 44 pairs for the tiny model,
    estimated from the vocabulary's size for the others. `target_modules` are the linear modules of
    its layers that vLLM adapts.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    key: str
    hub_id: str
    revision: str
    revision_verified: bool
    parameters: int
    layers: int
    hidden: int
    intermediate: int
    attention_heads: int
    kv_heads: int
    vocab: int
    tied_embeddings: bool
    context_length: int
    chat_template: bool
    license: str
    gated: bool
    token_factor: float
    local_only: bool = False
    target_modules: tuple[str, ...] = LLAMA_MODULES

    @property
    def default(self) -> bool:
        """True for the model that is trained when a request names none."""
        return self.key == default_base_model().key

    @property
    def object_prefix(self) -> str:
        """The prefix of the model's files in the bucket of base models."""
        return f"{self.key}/{self.revision}/"

    def require_servable(self, target_modules: str) -> None:
        """Raise InvalidInputError for target modules that PEFT would train and vLLM not serve.

        `target_modules` is ALL_LINEAR, or names separated by commas. Names are exact: a pattern
        that also matches the output layer cannot be told from a typo.
        """
        names = target_modules.split(",")
        unknown = [name for name in dict.fromkeys(names) if name not in self.target_modules]
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if target_modules == ALL_LINEAR or not (unknown or repeated):
            return
        fault = f"{', '.join(map(repr, repeated))}: named more than once"
        if unknown:
            fault = f"{', '.join(map(repr, unknown))}: vLLM adapts no such module of {self.key}"
        if not any(names):
            fault = "names no module"
        raise InvalidInputError.of_field(
            "hyperparameters.target_modules",
            f"{fault}. Use {ALL_LINEAR} alone, which is the default, or some of "
            f"{', '.join(self.target_modules)}.",
        )

    @property
    def kv_fraction(self) -> float:
        """Width of keys and values as a share of the hidden width."""
        return self.kv_heads / self.attention_heads

    @property
    def body_parameters(self) -> int:
        """Weights of the layers' linear modules, without embedding and output layer."""
        attention = 2 * self.hidden**2 * (1 + self.kv_fraction)
        return round(self.layers * (attention + 3 * self.hidden * self.intermediate))

    @property
    def head_parameters(self) -> int:
        """Weights of the output layer."""
        return self.vocab * self.hidden


@cache
def _registry() -> tuple[str, dict[str, BaseModelEntry]]:
    text = (resources.files("brightrun") / "catalog/base_models.json").read_text("utf-8")
    document = json.loads(text)
    models = [BaseModelEntry.model_validate(entry) for entry in document["models"]]
    return document["default"], {model.key: model for model in models}


def base_models() -> tuple[BaseModelEntry, ...]:
    """Every model of the catalog, in its order."""
    return tuple(_registry()[1].values())


def default_base_model() -> BaseModelEntry:
    """The model that is trained when a request names none."""
    default, models = _registry()
    return models[default]


def base_model(key: str) -> BaseModelEntry:
    """Find a model by its key or its hub id; raises UnknownBaseModelError naming the known keys."""
    for model in base_models():
        if key in {model.key, model.hub_id}:
            return model
    raise UnknownBaseModelError(key, [model.key for model in base_models()])
