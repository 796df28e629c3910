"""The structured logger; bodies, prompts and keys must never be logged."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """Return this process's JSON logger, named by POWERTOOLS_SERVICE_NAME."""
    from aws_lambda_powertools import Logger

    return Logger()
