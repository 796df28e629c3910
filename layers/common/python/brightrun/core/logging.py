"""Structured logs, made only here; bodies, prompts and keys never go into them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger


@cache
def logger() -> Logger:
    """Give this process's JSON logger, named by POWERTOOLS_SERVICE_NAME."""
    from aws_lambda_powertools import Logger

    return Logger()
