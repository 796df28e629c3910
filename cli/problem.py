"""Turning an HTTP answer that is not a success into an error that says how to mend it."""

from typing import TYPE_CHECKING, Any

from cli.errors import CliError, NotFoundError, NotSignedInError, RefusedError, UnavailableError

if TYPE_CHECKING:
    import httpx2


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
    if status == 401:
        return NotSignedInError, "Sign in again with `brightrun login`."
    if status == 404:
        return NotFoundError, None
    if status == 429:
        wait = f"in {retry_after} seconds" if retry_after else "in a minute"
        return UnavailableError, f"The server is throttling; try again {wait}."
    if status >= 500:
        return UnavailableError, "Try again; if it persists, look at the function's logs."
    return RefusedError, None


def _json_object(response: "httpx2.Response") -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
