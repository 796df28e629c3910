"""Suggestions are cheaper or faster by their own estimate, or they are not made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from brightrun.catalog.gpu_instances import GpuConfig
from brightrun.estimates.calibration import Calibration
from brightrun.estimates.model import MOST
from brightrun.estimates.v2 import Plan, predict
from tests.unit.estimates.estimating import THE_44_PAIRS, a_plan, estimated

PLANS = [
    a_plan(),
    a_plan("A100-80GB", 2),
    a_plan("A100-40GB", 8, batch_size=64),
    a_plan("H100", 8),
    a_plan("V100-32GB", 1),
    a_plan(model="llama-3.3-70b-instruct"),
]


def changed(plan: Plan, settings: dict[str, Any]) -> Plan:
    """The plan that a suggestion's settings make of this one."""
    gpu = GpuConfig(**settings["gpu_config"]) if "gpu_config" in settings else plan.gpu
    return replace(plan, gpu=gpu, hyper=replace(plan.hyper, **settings.get("hyperparameters", {})))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.gpu.count} x {plan.gpu.type}")
def test_a_suggestion_keeps_what_it_promises(plan: Plan) -> None:
    current = predict(plan, Calibration())
    found = estimated(
        plan.gpu.type, plan.gpu.count, plan.model.key, batch_size=plan.hyper.batch_size
    ).as_dict()["alternatives"]
    assert 0 < len(found) <= MOST
    for one in found:
        if "use_spot" in one["settings"]:
            continue
        other = predict(changed(plan, one["settings"]), Calibration())
        assert other.memory.fits
        assert one["seconds"] == round(other.seconds.p50)
        assert one["cost_usd"] == round(other.cost_usd.p50, 2)
        if current.memory.fits:
            assert one["cheaper"] or one["faster"]
            assert not one["cheaper"] or other.cost_usd.p50 < current.cost_usd.p50
            assert not one["faster"] or other.seconds.p50 < current.seconds.p50


def test_suggestions_come_cheapest_first_and_none_is_worse_than_another_in_both() -> None:
    found = estimated("A100-80GB", 2).alternatives
    costs = [one.cost_usd for one in found]
    assert costs == sorted(costs)
    firm = [one for one in found if "use_spot" not in one.settings]
    for one in firm:
        assert not any(o.cost_usd < one.cost_usd and o.seconds < one.seconds for o in firm)


def test_one_h100_is_suggested_instead_of_two_a100() -> None:
    found = estimated("A100-80GB", 2).alternatives
    assert any(one.settings == {"gpu_config": {"type": "H100", "count": 1}} for one in found)


def test_no_dropout_is_suggested_when_dropout_forces_recomputing() -> None:
    found = estimated(dropout=0.1).alternatives
    (advice,) = [one for one in found if one.settings == {"hyperparameters": {"dropout": 0.0}}]
    assert (advice.cheaper, advice.faster) == (True, True)


def test_spot_capacity_is_offered_as_an_assumption() -> None:
    (spot,) = [one for one in estimated().alternatives if one.change == "spot capacity"]
    assert spot.note is not None
    assert "assumed" in spot.note


def test_a_processor_has_no_alternatives() -> None:
    assert not estimated("local-cpu", model="brightrun-tiny", size=THE_44_PAIRS).alternatives
