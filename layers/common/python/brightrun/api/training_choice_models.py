"""How the choices of a training job are shown: base models, GPU types, presets and ranges."""

from __future__ import annotations

from typing import Self

from brightrun.api.estimate_models import HyperparametersView
from brightrun.api.shapes import Answer, Part
from brightrun.domain import presets
from brightrun.domain.base_models import BaseModelEntry, base_models, default_base_model
from brightrun.domain.gpu_instances import GpuType, gpu_types, price_date, price_region
from brightrun.domain.training_job import PresetId


class ModelView(Part):
    """A base model; `revision_verified` is False where the pin was not compared with the hub."""

    key: str
    hub_id: str
    revision: str
    revision_verified: bool
    parameters: int
    context_length: int
    chat_template: bool
    license: str
    gated: bool
    local_only: bool
    default: bool

    @classmethod
    def of(cls, model: BaseModelEntry) -> Self:
        """Show a model."""
        shown = {name: getattr(model, name) for name in cls.model_fields if name != "default"}
        return cls(**shown, default=model.key == default_base_model().key)


class InstanceView(Part):
    """An instance that has the GPUs; US dollars an hour, on demand."""

    type: str
    gpus: int
    usd_per_hour: float
    price_source: str


class GpuTypeView(Part):
    """A GPU type; where it is not trainable, why."""

    key: str
    aliases: list[str]
    memory_gib: float
    counts: list[int]
    trainable: bool
    not_trainable: str | None
    instances: list[InstanceView]

    @classmethod
    def of(cls, gpu: GpuType) -> Self:
        """Show a type."""
        return cls(
            key=gpu.key,
            aliases=list(gpu.aliases),
            memory_gib=gpu.memory_gib,
            counts=list(range(1, gpu.most + 1)),
            trainable=gpu.trainable,
            not_trainable=gpu.not_trainable,
            instances=[InstanceView.model_validate(one) for one in gpu.instances],
        )


class PresetView(Part):
    """A preset; custom has no values of its own."""

    id: PresetId
    default: bool
    hyperparameters: HyperparametersView | None


class RangeView(Part):
    """The lowest and highest value of a hyperparameter."""

    lowest: float
    highest: float


class ChoicesView(Part):
    """Everything a training job can be made of, and the day and region of the prices."""

    base_models: list[ModelView]
    gpu_types: list[GpuTypeView]
    presets: list[PresetView]
    ranges: dict[str, RangeView]
    price_date: str
    price_region: str


class ChoicesAnswer(Answer):
    """GET /api/base-models."""

    data: ChoicesView

    @classmethod
    def of_registry(cls) -> Self:
        """Show the registry."""
        return cls(
            data=ChoicesView(
                base_models=[ModelView.of(model) for model in base_models()],
                gpu_types=[GpuTypeView.of(gpu) for gpu in gpu_types()],
                presets=[_preset(name) for name in presets.PRESET_IDS],
                ranges={
                    name: RangeView(lowest=low, highest=high)
                    for name, (low, high) in presets.RANGES.items()
                },
                price_date=price_date(),
                price_region=price_region(),
            )
        )


def _preset(name: PresetId) -> PresetView:
    values = presets.PRESETS.get(name)
    return PresetView(
        id=name,
        default=name == presets.DEFAULT_PRESET,
        hyperparameters=HyperparametersView.model_validate(values) if values else None,
    )
