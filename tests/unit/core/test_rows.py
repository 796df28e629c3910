"""Reading dataclasses back from rows."""

from __future__ import annotations

from dataclasses import dataclass

from brightrun.core.rows import from_row


@dataclass(frozen=True)
class Thing:
    name: str
    price: float
    discount: float | None = None
    count: int = 0


def test_a_whole_amount_becomes_a_float_again_and_a_count_stays_whole() -> None:
    read = from_row(Thing, {"name": "a", "price": 31, "discount": 2, "count": 3})
    assert [type(value) for value in (read.price, read.discount, read.count)] == [float, float, int]
    assert read == Thing("a", 31.0, 2.0, 3)


def test_what_is_missing_has_its_default_and_what_is_unknown_is_left_out() -> None:
    assert from_row(Thing, {"name": "a", "price": 1.5, "table_key": "x"}) == Thing("a", 1.5)


def test_an_amount_that_is_none_stays_none() -> None:
    assert from_row(Thing, {"name": "a", "price": 1.5, "discount": None}).discount is None
