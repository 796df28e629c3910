"""What can go wrong while a state runs, by the names Step Functions gives it."""

from collections.abc import Sequence

TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
RUNTIME = "States.Runtime"
DATA_LIMIT_EXCEEDED = "States.DataLimitExceeded"
NO_CHOICE_MATCHED = "States.NoChoiceMatched"
PARAMETER_PATH_FAILURE = "States.ParameterPathFailure"
INTRINSIC_FAILURE = "States.IntrinsicFailure"

_TERMINAL = frozenset({RUNTIME, DATA_LIMIT_EXCEEDED})


class StateFailed(Exception):
    """A state failed with an error name and a cause, the pair that Retry and Catch look at."""

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def matches(error_equals: Sequence[str], error: str) -> bool:
    """Tell whether a Retry or Catch rule covers an error.

    ``States.ALL`` and ``States.TaskFailed`` do not cover States.Runtime and
    States.DataLimitExceeded; ``States.TaskFailed`` does not cover States.Timeout.
    Source: developer guide, "Handling errors in Step Functions workflows".
    """
    if error in error_equals:
        return True
    if error in _TERMINAL:
        return False
    return "States.ALL" in error_equals or (TASK_FAILED in error_equals and error != TIMEOUT)
