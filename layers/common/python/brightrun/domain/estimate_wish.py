"""What an estimate is asked for, completed and answered without looking anything up."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.domain.base_models import base_model, default_base_model
from brightrun.domain.dataset import Dataset
from brightrun.domain.estimate import estimate
from brightrun.domain.estimate_calibration import Calibration
from brightrun.domain.estimate_v1 import estimate_v1
from brightrun.domain.estimate_v2 import Plan
from brightrun.domain.gpu_instances import billing, gpu_type
from brightrun.domain.presets import complete
from brightrun.domain.training_job import GpuConfig, Hyperparameters
from brightrun.domain.training_size import dataset_size, given_size
from brightrun.errors import InvalidInputError

Profile = Literal["v1", "v2"]
DEFAULT_PROFILE: Profile = "v2"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants an estimate of: a dataset, or numbers; what is None has its default."""

    gpu: GpuConfig
    profile: Profile = DEFAULT_PROFILE
    dataset_id: str | None = None
    pairs: int | None = None
    tokens: int | None = None
    pairs_per_conversation: float = 1.0
    base_model: str | None = None
    preset_id: str | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


def answer(wish: Wish, dataset: Dataset | None, calibration: Calibration) -> dict[str, Any]:
    """Answer a wish in its profile's shape; `dataset` is the one that it names.

    Raises InvalidInputError for values out of range and where neither a dataset nor numbers are
    named, and UnknownBaseModelError.
    """
    preset, hyper = complete(wish.preset_id, wish.hyperparameters)
    billing(wish.gpu.type, wish.gpu.count)
    known = GpuConfig(gpu_type(wish.gpu.type).key, wish.gpu.count)
    asked = dataclasses.replace(wish, gpu=known)
    if wish.profile == "v1":
        return _by_v1(asked, dataset, hyper)
    return {**estimate(_plan(asked, dataset, hyper), calibration).as_dict(), "preset_id": preset}


def _by_v1(wish: Wish, dataset: Dataset | None, hyper: Hyperparameters) -> dict[str, Any]:
    if dataset is None:
        return estimate_v1(wish.pairs, wish.tokens, wish.gpu, hyper).as_dict()
    pairs, tokens = dataset.total_training_pairs, dataset.total_tokens
    return estimate_v1(pairs, tokens, wish.gpu, hyper, dataset.name).as_dict()


def _plan(wish: Wish, dataset: Dataset | None, hyper: Hyperparameters) -> Plan:
    model = default_base_model() if wish.base_model is None else base_model(wish.base_model)
    if dataset is not None:
        return Plan(dataset_size(dataset), model, wish.gpu, hyper, name=dataset.name)
    if wish.pairs is None:
        message = "name a dataset_id, or total_training_pairs with total_tokens."
        raise InvalidInputError(message, details=[{"field": "dataset_id", "message": message}])
    size = given_size(wish.pairs, wish.tokens, wish.pairs_per_conversation)
    return Plan(size, model, wish.gpu, hyper)
