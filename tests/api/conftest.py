"""The same API as the handler tests have."""

from tests.handlers.conftest import (
    account,
    api,
    aws,
    builds,
    clock,
    runs,
    seeds,
    trainings,
    validations,
)

__all__ = ["account", "api", "aws", "builds", "clock", "runs", "seeds", "trainings", "validations"]
