"""Paths, templates, intrinsic functions and choice rules of state machines."""

from typing import Any

import pytest

from local.workflows import choices, intrinsics, paths, templates
from local.workflows.failures import StateFailed

CONTEXT = {"Map": {"Item": {"Index": 2, "Value": "c"}}}
DATA = {"a": {"b": [10, {"c": None}]}, "n": 4, "text": "x", "flag": False}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DATA),
        ("$.n", 4),
        ("$.a.b[0]", 10),
        ("$['a'].b[1].c", None),
        ("$$.Map.Item.Index", 2),
    ],
)
def test_path_leads_to_its_value(path: str, value: Any) -> None:
    assert paths.read(path, DATA, CONTEXT) == value
    assert paths.exists(path, DATA, CONTEXT)


@pytest.mark.parametrize("path", ["$.missing", "$.a.b[7]", "$.n.x", "$.a[0]", "$$.Map.Nothing"])
def test_path_that_leads_nowhere_is_a_runtime_error(path: str) -> None:
    assert not paths.exists(path, DATA, CONTEXT)
    with pytest.raises(StateFailed) as failed:
        paths.read(path, DATA, CONTEXT)
    assert failed.value.error == "States.Runtime"
    assert path in failed.value.cause


@pytest.mark.parametrize("path", ["a.b", "$..b", "$.a[*]", "$.a[?(@.x)]", "$.a[1:2]"])
def test_path_outside_the_subset_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a reference path"):
        paths.steps_of(path)


def test_result_path_adds_to_the_input_and_creates_what_is_missing() -> None:
    original: dict[str, Any] = {"kept": 1}
    assert paths.write("$.x.y", original, 2) == {"kept": 1, "x": {"y": 2}}
    assert original == {"kept": 1}


def test_result_path_dollar_replaces_and_null_discards() -> None:
    assert paths.write("$", {"kept": 1}, 2) == 2
    assert paths.write(None, {"kept": 1}, 2) == {"kept": 1}


def test_result_path_through_a_value_that_is_no_object_fails() -> None:
    with pytest.raises(StateFailed, match=r"ResultPath '\$\.kept\.x'"):
        paths.write("$.kept.x", {"kept": 1}, 2)


def test_template_fills_references_at_every_depth() -> None:
    template = {
        "fixed": 1,
        "list": [{"item.$": "$$.Map.Item.Value"}],
        "deep": {"n.$": "$.n", "sum.$": "States.MathAdd($.n, -1)"},
    }
    filled = templates.fill(template, DATA, CONTEXT)
    assert filled == {"fixed": 1, "list": [{"item": "c"}], "deep": {"n": 4, "sum": 3}}


def test_template_with_a_missing_path_is_a_parameter_path_failure() -> None:
    with pytest.raises(StateFailed) as failed:
        templates.fill({"x.$": "$.missing"}, DATA, CONTEXT)
    assert failed.value.error == "States.ParameterPathFailure"


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("States.Format('{} of {}', $.text, $.n)", "x of 4"),
        ("States.Format('it\\'s {}', 'so')", "it's so"),
        ("States.Array($.n, 'a', 1.5, true, null)", [4, "a", 1.5, True, None]),
        ("States.ArrayLength(States.Array(1, 2))", 2),
        ("States.StringToJson('{\"a\": 1}')", {"a": 1}),
        ("States.JsonToString($.flag)", "false"),
    ],
)
def test_intrinsic_function_returns_its_value(call: str, value: Any) -> None:
    assert intrinsics.evaluate(call, DATA, CONTEXT) == value


@pytest.mark.parametrize(
    "call",
    [
        "States.Format('{} {}', $.n)",
        "States.MathAdd($.text, 1)",
        "States.Unknown()",
        "States.ArrayLength($.a.b",
        "States.MathAdd(1, 2) x",
        "States.MathAdd(1 2)",
    ],
)
def test_intrinsic_call_that_does_not_fit_is_an_intrinsic_failure(call: str) -> None:
    with pytest.raises(StateFailed) as failed:
        intrinsics.evaluate(call, DATA, CONTEXT)
    assert failed.value.error == "States.IntrinsicFailure"


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Variable": "$.n", "NumericEquals": 4}, True),
        ({"Variable": "$.n", "NumericGreaterThanEquals": 5}, False),
        ({"Variable": "$.n", "NumericLessThanPath": "$.a.b[0]"}, True),
        ({"Variable": "$.n", "StringEquals": "4"}, False),
        ({"Variable": "$.text", "StringMatches": "*x"}, True),
        ({"Variable": "$.text", "StringMatches": "y*"}, False),
        ({"Variable": "$.flag", "BooleanEquals": False}, True),
        ({"Variable": "$.n", "BooleanEquals": False}, False),
        ({"Variable": "$.missing", "IsPresent": False}, True),
        ({"Variable": "$.a.b[1].c", "IsPresent": True}, True),
        ({"Variable": "$.a.b[1].c", "IsNull": True}, True),
        ({"Variable": "$.flag", "IsNumeric": False}, True),
        ({"Not": {"Variable": "$.n", "NumericEquals": 4}}, False),
        (
            {"And": [{"Variable": "$.n", "NumericEquals": 4}, {"Variable": "$.n", "IsNull": True}]},
            0,
        ),
        ({"Or": [{"Variable": "$.n", "IsNull": True}, {"Variable": "$.n", "NumericEquals": 4}]}, 1),
    ],
)
def test_choice_rule_holds_or_not(rule: dict[str, Any], holds: bool) -> None:
    assert choices.holds(rule, DATA, CONTEXT) == bool(holds)


def test_timestamps_compare_as_moments() -> None:
    data = {"t": "2026-01-01T12:00:00Z"}
    rule = {"Variable": "$.t", "TimestampEquals": "2026-01-01T13:00:00+01:00"}
    assert choices.holds(rule, data, {})


def test_comparing_a_missing_variable_is_a_runtime_error() -> None:
    with pytest.raises(StateFailed) as failed:
        choices.holds({"Variable": "$.missing", "NumericEquals": 1}, DATA, CONTEXT)
    assert failed.value.error == "States.Runtime"
