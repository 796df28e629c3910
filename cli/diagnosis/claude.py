"""Claude as a deployment asks it: the key, the model, and when the model retires."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from cli.diagnosis.api import TIMEOUT_S
from cli.diagnosis.finding import Finding

if TYPE_CHECKING:
    import httpx2

    from brightrun.claude.registry import ClaudeModel

ADDRESS = "https://api.anthropic.com"
API_VERSION = "2023-06-01"
NEW_KEY = "Put a key of the Claude Console into the secret; docs/runbooks/wrong_or_leaked_key.md."
OTHER_MODEL = "Deploy with another: ClaudeModel."


def check_model(name: str, today: date, *, retires_at: date | None = None) -> Finding:
    """Whether a model can be used, by the registry or by the date that Claude's API gave."""
    from brightrun.claude.registry import claude_model, retirement_notice
    from brightrun.core.errors import UnusableModelError

    try:
        model = claude_model(name, today)
    except UnusableModelError as error:
        return Finding("model", "problem", error.message, OTHER_MODEL)
    if notice := retirement_notice(model, today, retires_at):
        return Finding("model", "warning", notice, OTHER_MODEL)
    return Finding("model", "ok", f"{model.id} can be used; no retirement within 60 days.")


def ask_claude(key: str, base_url: str, name: str) -> Iterator[Finding]:
    """Yield what GET /v1/models says of the key and the model; costs nothing."""
    import httpx2

    today = datetime.now(UTC).date()
    address = (base_url or ADDRESS).rstrip("/")
    try:
        answer = httpx2.get(
            f"{address}/v1/models/{_model_id(name, today)}",
            headers={"x-api-key": key, "anthropic-version": API_VERSION},
            timeout=TIMEOUT_S,
        )
    except httpx2.HTTPError as error:
        said = f"{address} does not answer from here: {error}. By this version's own list:"
        yield Finding("Claude", "unknown", said)
        yield check_model(name, today)
        return
    yield from _read(answer, name, today)


def _model_id(name: str, today: date) -> str:
    from brightrun.claude.registry import claude_model
    from brightrun.core.errors import UnusableModelError

    try:
        model: ClaudeModel = claude_model(name, today)
    except UnusableModelError:
        return name
    return model.id


def _read(answer: "httpx2.Response", name: str, today: date) -> Iterator[Finding]:
    if answer.status_code in {401, 403}:
        yield Finding("Claude", "problem", "Claude does not accept the key.", NEW_KEY)
        return
    if answer.status_code == 404:
        yield Finding("model", "problem", f"This key has no model {name}.", OTHER_MODEL)
        return
    document = _document(answer)
    if document is None:
        said = f"Claude answered {answer.status_code} to the question for its models."
        yield Finding("Claude", "unknown", said)
        yield check_model(name, today)
        return
    yield Finding("Claude", "ok", "Claude accepts the key.")
    if document.get("lifecycle") == "retired":
        yield Finding("model", "problem", f"{name} is retired.", OTHER_MODEL)
        return
    date_text = document.get("retires_at")
    retires_at = datetime.fromisoformat(date_text).date() if date_text else None
    yield check_model(name, today, retires_at=retires_at)


def _document(answer: "httpx2.Response") -> dict[str, Any] | None:
    if answer.is_error:
        return None
    try:
        document = answer.json()
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
