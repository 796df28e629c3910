"""Expressions that are parsed once are evaluated as ministack evaluates them."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.ministack_patches import expressions

ITEM = {"colour": {"S": "red"}, "size": {"N": "5"}, "tags": {"SS": ["a", "b"]}}
VALUES = {":red": {"S": "red"}, ":two": {"N": "2"}, ":ten": {"N": "10"}, ":a": {"S": "a"}}
NAMES = {"#size": "size"}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Ministack's own evaluation; the module has the patched one."""
    from ministack.services import dynamodb

    for name in ("_tokenize", "_evaluate_condition"):
        monkeypatch.setattr(dynamodb, name, getattr(dynamodb, name))
    own = dynamodb._evaluate_condition
    expressions.install()
    yield own


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "colour = :red",
        "colour <> :red",
        "colour = :red AND #size > :two",
        "NOT (#size > :ten OR contains(tags, :a))",
        "#size BETWEEN :two AND :ten",
        "attribute_not_exists(colour)",
        "colour IN (:a, :red)",
    ],
)
def test_a_sound_expression_has_its_value_each_time(plain: Any, expression: str) -> None:
    from ministack.services import dynamodb

    for item in (ITEM, {}, {**ITEM, "colour": {"S": "blue"}}):
        wanted = plain(expression, item, VALUES, NAMES)
        assert dynamodb._evaluate_condition(expression, item, VALUES, NAMES) == wanted


@pytest.mark.parametrize("slot", ["ConditionExpression", "FilterExpression"])
@pytest.mark.parametrize(
    "expression",
    ["((colour = :red))", "colour = = :red", "colour BETWEEN :red", "begins_with(#size, :two)"],
)
def test_a_faulty_expression_keeps_its_error(plain: Any, expression: str, slot: str) -> None:
    from ministack.services import dynamodb

    with pytest.raises(ValueError, match="Invalid") as wanted:
        plain(expression, ITEM, VALUES, NAMES, slot)
    for _ in range(2):
        with pytest.raises(ValueError, match="Invalid") as raised:
            dynamodb._evaluate_condition(expression, ITEM, VALUES, NAMES, slot)
        assert str(raised.value) == str(wanted.value)
