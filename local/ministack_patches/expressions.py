"""Parses each expression of DynamoDB once.

Reason: ministack splits a condition into tokens, and checks its grammar, anew for every item that
it is evaluated on.
"""

from functools import lru_cache
from typing import Any

_KEPT = 1024
"""Expressions; those of this system are a few dozen, since values come beside them."""


def install() -> None:
    """Keep what is parsed, and evaluate sound expressions without checking them again."""
    from ministack.services import dynamodb

    tokenize = lru_cache(_KEPT)(dynamodb._tokenize)
    evaluate = dynamodb._evaluate_condition
    dynamodb._tokenize = lambda expression: list(tokenize(expression))

    @lru_cache(_KEPT)
    def sound_tokens(expression: str, slot: str) -> Any:
        """The tokens of an expression without faults whatever its values are, else None."""
        tokens = tokenize(expression)
        if (
            not expression.strip()
            or any(kind == "IDENT" and text.upper() == "BETWEEN" for kind, text in tokens)
            or dynamodb._check_redundant_parens(tokens, slot)
            or dynamodb._check_reserved_keyword_usage(tokens)
            or dynamodb._condition_syntax_error(expression, slot)
        ):
            return None
        return tokens

    def evaluate_condition(
        expression: str, item: Any, values: Any, names: Any, slot: str = "ConditionExpression"
    ) -> Any:
        tokens = sound_tokens(expression, slot) if expression else None
        if tokens is not None:
            try:
                return dynamodb._ExprEval(tokens, item, values, names).evaluate()
            except Exception:  # noqa: S110 - below, with the error that a client gets
                pass
        return evaluate(expression, item, values, names, slot)

    dynamodb._evaluate_condition = evaluate_condition
