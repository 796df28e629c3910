"""What goes wrong: requests that are refused, jobs that fail."""


class RequestRefused(Exception):
    """A request that SageMaker answers with an error; ``code`` is the error's name."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JobFailed(Exception):
    """A training job has failed; the message becomes its FailureReason."""


def invalid(message: str) -> RequestRefused:
    """Return the refusal of a request that breaks a rule of the service."""
    return RequestRefused("ValidationException", message)
