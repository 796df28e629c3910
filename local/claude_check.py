"""Asks Claude at the start whether key and model can be used, so that no batch finds out first."""

import http.client
import json
import socket
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from local.errors import LocalError

ADDRESS = "https://api.anthropic.com"
DEADLINE_SECONDS = 8.0
"""For the whole question, the look-up of the host's name included."""

_VERSION = "2023-06-01"
_OTHERWISE = (
    "Without ANTHROPIC_API_KEY the simulator writes; BRIGHTRUN_CLAUDE_CHECK=off asks nobody."
)


class ClaudeRefused(LocalError):
    """Claude cannot be used with this key, model or address; the message says which and why."""


def check_claude(base_url: str, api_key: str, model: str) -> date | None:
    """Ask for the model by name; raises ClaudeRefused within DEADLINE_SECONDS and a little.

    Returns the date on which Claude says that the model retires, if it names one. A busy Claude
    (429, 5xx) is taken for a usable one: batches wait for it.
    """
    answers: list[_Answer] = [_Answer("it did not answer in time")]
    asking = threading.Thread(
        target=lambda: answers.__setitem__(0, _ask(base_url, api_key, model)), daemon=True
    )
    asking.start()
    asking.join(DEADLINE_SECONDS)
    if answers[0].failure:
        host = urlsplit(base_url).netloc or base_url
        raise ClaudeRefused(f"Claude at {host} cannot be used: {answers[0].failure}. {_OTHERWISE}")
    return answers[0].retires_at


@dataclass(frozen=True)
class _Answer:
    """What keeps Claude from being used and how to mend it, if anything, and until when it can."""

    failure: str = ""
    retires_at: date | None = None


def _ask(base_url: str, api_key: str, model: str) -> _Answer:
    request = urllib.request.Request(
        f"{base_url.rstrip('/')}/v1/models/{model}",
        headers={"x-api-key": api_key, "anthropic-version": _VERSION},
    )
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            return _described(answer.read(), model)
    except urllib.error.HTTPError as error:
        with error:
            return _Answer(_refusal(error.code, error.read(), model))
    except urllib.error.URLError as error:
        return _Answer(_trouble(error.reason))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _Answer(_trouble(error))


def _described(body: bytes, model: str) -> _Answer:
    if not _is_json(body):
        return _Answer(_NOT_CLAUDE)
    described = json.loads(body)
    if described.get("lifecycle") == "retired":
        return _Answer(f"the model {model} is retired; name another in BRIGHTRUN_CLAUDE_MODEL")
    retires_at = described.get("retires_at")
    return _Answer(retires_at=datetime.fromisoformat(retires_at).date() if retires_at else None)


_NOT_CLAUDE = "what answers there is not the Claude API; correct BRIGHTRUN_CLAUDE_BASE_URL"


def _refusal(status: int, body: bytes, model: str) -> str:
    if status == 429 or status >= 500:
        return ""
    if not _is_json(body):
        return _NOT_CLAUDE
    if status in (401, 403):
        return (
            f"it does not accept the key in ANTHROPIC_API_KEY (HTTP {status}); copy the key anew"
            " from the Claude Console"
        )
    if status == 404:
        return f"this key has no model {model} (HTTP 404); name another in BRIGHTRUN_CLAUDE_MODEL"
    return f"it refuses to describe the model {model} (HTTP {status})"


def _trouble(reason: object) -> str:
    if isinstance(reason, socket.gaierror):
        return "no such host is known; check the network and BRIGHTRUN_CLAUDE_BASE_URL"
    if isinstance(reason, TimeoutError):
        return "it did not answer in time; check the network, HTTPS_PROXY and the firewall"
    if isinstance(reason, ConnectionRefusedError):
        return "nothing listens there; check BRIGHTRUN_CLAUDE_BASE_URL and HTTPS_PROXY"
    if isinstance(reason, ssl.SSLError):
        return (
            f"its certificate is not trusted ({reason.reason or reason}); name your network's own"
            " authority in SSL_CERT_FILE"
        )
    return f"the connection failed ({reason}); check the network and HTTPS_PROXY"


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
