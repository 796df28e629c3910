"""Every failure the command can end with, and the exit code of each.

CliError
├── NotReadyError            1    a file was found wanting
├── UsageError               2    wrong arguments, files or settings
├── NotSignedInError         3    no session, or one that can no longer be renewed
├── NotFoundError            4    the record does not exist or belongs to somebody else
├── RefusedError             5    the server understood the request and refused it
├── UnavailableError         6    network or server trouble, throttling included
└── InterruptedByUserError 130    Ctrl-C, or "no" to a question
"""

from enum import IntEnum
from typing import Any, ClassVar


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
    """A failure told to the user: what happened and where, and in `hint` how to mend it.

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
    """A file was taken in and found wanting: no model can be trained on it."""

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
