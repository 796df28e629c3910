"""Every failure the command can end with, and the exit code of each.

CliError
├── NotReadyError            1    a file failed validation
├── UsageError               2    wrong arguments, files or settings
├── NotSignedInError         3    no session, or one that can no longer be renewed
├── NotFoundError            4    the record does not exist or belongs to another user
├── RefusedError             5    the server understood the request and refused it
├── UnavailableError         6    network or server trouble, throttling included
└── InterruptedByUserError 130    Ctrl-C, or "no" to a question
"""

from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import httpx2


class ExitCode(IntEnum):
    """What a script can read from `$?`; the same table stands in --help and in cli/README.md."""

    OK = 0
    JOB_NOT_SUCCESSFUL = 1
    USAGE = 2
    NOT_SIGNED_IN = 3
    NOT_FOUND = 4
    REFUSED = 5
    UNAVAILABLE = 6
    INTERRUPTED = 130


class CliError(Exception):
    """A failure reported to the user: what happened and where, and in `hint` how to fix it.

    `status` is the HTTP status where a server answered; `details` is the server's own list of
    {field, message} or object, or None.
    """

    exit_code: ClassVar[ExitCode]
    default_code: ClassVar[str]

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        status: int | None = None,
        details: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code
        self.status = status
        self.details = details

    def document(self) -> dict[str, Any]:
        """Return the error as it is written to stderr under --json."""
        sentence = f"{self.message} {self.hint}" if self.hint else self.message
        return {
            "error": sentence,
            "code": self.code,
            "status": self.status,
            "details": self.details,
        }


class UsageError(CliError):
    """The arguments, a named file or the stored settings cannot be used."""

    exit_code = ExitCode.USAGE
    default_code = "usage"


class NotSignedInError(CliError):
    """There is no session for this profile, or the server no longer accepts it."""

    exit_code = ExitCode.NOT_SIGNED_IN
    default_code = "not_signed_in"


class NotFoundError(CliError):
    """The named record does not exist for this user."""

    exit_code = ExitCode.NOT_FOUND
    default_code = "not_found"


class RefusedError(CliError):
    """The server refused the request (any other 4xx)."""

    exit_code = ExitCode.REFUSED
    default_code = "refused"


class NotReadyError(CliError):
    """A file failed validation: no model can be trained on it."""

    exit_code = ExitCode.JOB_NOT_SUCCESSFUL
    default_code = "not_ready"


class UnavailableError(CliError):
    """The server could not be reached, failed (5xx) or went on throttling (429).

    `retry_after` is the server's own header of that name, where it sent one.
    """

    exit_code = ExitCode.UNAVAILABLE
    default_code = "unavailable"
    retry_after: str | None = None


class InterruptedByUserError(CliError):
    """The user pressed Ctrl-C or declined."""

    exit_code = ExitCode.INTERRUPTED
    default_code = "interrupted"


def error_from_response(response: "httpx2.Response") -> CliError:
    """Read a problem+json body, or the gateway's own {"message"}, into the matching error."""
    status = response.status_code
    body = _json_object(response)
    reason = body.get("error") or body.get("detail") or body.get("message") or body.get("title")
    request = response.request
    retry_after = response.headers.get("retry-after")
    kind, hint = _kind_and_hint(status, retry_after)
    error = kind(
        f"{reason or response.reason_phrase} ({request.method} {request.url.path}, HTTP {status})",
        hint=hint,
        code=body.get("code"),
        status=status,
        details=body.get("details"),
    )
    if isinstance(error, UnavailableError):
        error.retry_after = retry_after
    return error


def _kind_and_hint(status: int, retry_after: str | None) -> tuple[type[CliError], str | None]:
    wait = f"in {retry_after} seconds" if retry_after else "in a minute"
    told: dict[int, tuple[type[CliError], str | None]] = {
        401: (NotSignedInError, "Sign in again with `brightrun login`."),
        404: (NotFoundError, None),
        429: (UnavailableError, f"The server is throttling; try again {wait}."),
        507: (UnavailableError, None),  # a local system whose disk is full says so itself
    }
    if status in told:
        return told[status]
    if status == 409 and retry_after:
        return UnavailableError, f"Try again {wait}."
    if status >= 500:
        return UnavailableError, "Try again; if it persists, look at the function's logs."
    return RefusedError, None


def _json_object(response: "httpx2.Response") -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
