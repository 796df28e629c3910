from __future__ import annotations

from typing import Any

import pytest

from local.claude_simulator import Fault, FaultScriptError, parse_faults
from local.claude_simulator.fault_script import Call, FaultScript


def script(*faults: dict[str, Any]) -> FaultScript:
    scripted = FaultScript()
    scripted.extend(parse_faults(faults))
    return scripted


def outcomes(scripted: FaultScript, *calls: Call) -> list[str | None]:
    met = [scripted.next(call) for call in calls]
    return [fault.outcome if fault else None for fault in met]


CALL = Call("messages")


@pytest.mark.parametrize(
    ("faults", "complaint"),
    [
        ({"status": 500}, "A fault script is a JSON list"),
        ("reset", "A fault script is a JSON list"),
        (["reset"], r"faults\[0\]: Input should be"),
        (
            [{"reset": True}, {"status": 700}],
            r"faults\[1\].status: .*less than or equal to 599, got 700",
        ),
        ([{"statuss": 500}], r"faults\[0\].statuss: Extra .* Known fields: when, times"),
        ([{"reset": True, "when": {"nth": 3}}], r"when.nth: .*Known fields: endpoint, custom_id"),
        ([{"reset": True, "status": 500}], r"states several outcomes \(status, reset\)"),
        ([{}], "states no outcome"),
        ([{"retry_after": 3, "reset": True}], "retry_after needs a status"),
        ([{"truncate": 1.5}], "less than 1"),
        ([{"refusal": "boredom"}], "refusal"),
        ([{"defect": "typo"}], "defect"),
        ([{"expired": True}], "expired needs when.endpoint to be batch_items"),
        (
            [{"refusal": "bio", "when": {"endpoint": "batches"}}],
            "refusal does not apply to the batches endpoint",
        ),
        (
            [{"reset": True, "when": {"endpoint": "batch_items"}}],
            "do not apply to batch_items",
        ),
    ],
)
def test_a_wrong_fault_is_refused_with_its_place_and_the_rule(faults: Any, complaint: str) -> None:
    with pytest.raises(FaultScriptError, match=complaint):
        parse_faults(faults)


def test_fault_objects_pass_through() -> None:
    fault = Fault(status=529)
    assert parse_faults([fault]) == [fault]


def test_faults_are_spent_one_per_call_in_order() -> None:
    scripted = script({"status": 429}, {"hang_seconds": 1}, {"reset": True})
    assert outcomes(scripted, *[CALL] * 4) == ["status", "hang_seconds", "reset", None]
    assert scripted.pending == 0


def test_times_repeats_a_fault() -> None:
    assert outcomes(script({"status": 500, "times": 2}), *[CALL] * 3) == ["status", "status", None]


def test_a_conditional_fault_stays_until_its_times_are_up() -> None:
    when = {"endpoint": "batches"}
    batch = Call("batches")
    assert outcomes(script({"status": 500, "when": when}), batch, CALL, batch) == [
        "status",
        None,
        "status",
    ]
    once = script({"status": 500, "when": when, "times": 1})
    assert outcomes(once, CALL, batch, batch) == [None, "status", None]


@pytest.mark.parametrize(
    ("when", "fitting", "other"),
    [
        (
            {"endpoint": "batch_items", "custom_id": "a"},
            Call("batch_items", custom_id="a"),
            Call("batch_items", custom_id="b"),
        ),
        ({"endpoint": "batches"}, Call("batches"), Call("messages")),
    ],
)
def test_conditions_select_their_calls(when: dict[str, Any], fitting: Call, other: Call) -> None:
    assert outcomes(script({"status": 500, "when": when}), other, fitting) == [None, "status"]


def test_a_cleared_script_has_no_faults() -> None:
    scripted = script({"reset": True})
    scripted.clear()
    assert outcomes(scripted, CALL) == [None]


def test_a_share_of_the_calls_meets_its_fault_the_same_ones_after_every_reset() -> None:
    scripted = script({"status": 529, "share": 0.3})
    met = outcomes(scripted, *[CALL] * 1000)
    assert 270 <= met.count("status") <= 330
    scripted.clear()
    scripted.extend(parse_faults([{"status": 529, "share": 0.3}]))
    assert outcomes(scripted, *[CALL] * 1000) == met
