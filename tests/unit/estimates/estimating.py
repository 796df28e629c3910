"""Plans to estimate, and estimates of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from brightrun.catalog.base_models import base_model
from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.catalog.presets import PRESETS
from brightrun.estimates.calibration import Calibration
from brightrun.estimates.model import Estimate, estimate
from brightrun.estimates.size import TrainingSize
from brightrun.estimates.v2 import Plan

SIZE = TrainingSize(1410, 157, tokens_per_pair=1400, pairs_per_conversation=3.67)
THE_44_PAIRS = TrainingSize(40, 4, tokens_per_pair=57_369 / 44, pairs_per_conversation=44 / 12)


def a_plan(
    gpu: str = "H100",
    count: int = 1,
    model: str = "qwen2.5-7b-instruct",
    size: TrainingSize = SIZE,
    **changes: Any,
) -> Plan:
    """The preset balanced, unless changes say otherwise."""
    hyper = replace(PRESETS["balanced"], **changes)
    return Plan(size, base_model(model), GpuConfig(gpu, count), hyper, name="Mine")


def estimated(*arguments: Any, **changes: Any) -> Estimate:
    return estimate(a_plan(*arguments, **changes), Calibration())
