"""The API that a profile names: whether it answers, this machine's clock, and the session."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from cli.client import ApiClient
from cli.config import is_loopback
from cli.diagnosis.finding import Finding
from cli.errors import CliError

TIMEOUT_S = 10.0
MOST_SKEW_S = 60
"""Of a clock: AWS refuses signatures that are five minutes off, tokens allow less."""


def check_api(client: ApiClient) -> Iterator[Finding]:
    """Yield whether the API answers, whether the clocks agree, and whether it knows the user."""
    import httpx2

    try:
        answer = httpx2.get(
            f"{client.api_url}/api/base-models",
            timeout=TIMEOUT_S,
            trust_env=not is_loopback(client.api_url),
        )
    except httpx2.HTTPError as error:
        yield Finding(
            "API",
            "problem",
            f"{client.api_url} does not answer: {error}.",
            "Locally run `make up`; else check the network and the address: `brightrun configure`.",
        )
        return
    yield Finding("API", "ok", f"{client.api_url} answers.")
    yield compare_clocks(answer.headers.get("date", ""), datetime.now(UTC))
    yield _session(client)


def compare_clocks(date: str, now: datetime) -> Finding:
    """Compare this machine's time with an answer's Date header."""
    try:
        ahead = (now - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):  # no date, or one without a time zone
        return Finding("clock", "unknown", "The API's answer names no time.")
    if abs(ahead) <= MOST_SKEW_S:
        return Finding("clock", "ok", "This machine's clock agrees with the API's.")
    side = "ahead of" if ahead > 0 else "behind"
    return Finding(
        "clock",
        "problem",
        f"This machine's clock is {abs(ahead):,.0f} s {side} the API's.",
        "Set it by NTP: sessions and signed links are judged by it.",
    )


def _session(client: ApiClient) -> Finding:
    try:
        client.get("/api/base-models")
    except CliError as error:
        return Finding("session", "problem", error.message, error.hint or "Run `brightrun login`.")
    return Finding("session", "ok", "The API accepts this session.")
