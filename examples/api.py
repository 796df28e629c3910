"""A signed-in HTTP client, which the examples share; the rest of each is plain requests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import httpx2

from cli.config import ProfileStore, config_dir, is_loopback
from cli.session import Session

TIMEOUT_S = 60.0


def connect() -> httpx2.Client:
    """A client of the API that BRIGHTRUN_API_URL and BRIGHTRUN_TOKEN name.

    Without them, of the profile that `brightrun login` used last; its token is renewed in time.
    An error answer ends the script with the API's own words.
    """
    url, token = os.environ.get("BRIGHTRUN_API_URL"), os.environ.get("BRIGHTRUN_TOKEN")
    if url and token:
        return _client(url, lambda request: _authorized(request, token))
    store = ProfileStore(config_dir())
    session = Session(store.load(store.current_name), store)
    return _client(
        session.profile.api_url, lambda request: _authorized(request, session.access_token())
    )


def save(url: str, target: Path) -> None:
    """Download a signed link. It carries its own signature, so no token goes with it."""
    with httpx2.stream("GET", url, timeout=TIMEOUT_S, trust_env=not is_loopback(url)) as answer:
        answer.raise_for_status()
        with target.open("wb") as file:
            for block in answer.iter_bytes():
                file.write(block)


def _client(url: str, auth: Any) -> httpx2.Client:
    return httpx2.Client(
        base_url=url,
        auth=auth,
        timeout=TIMEOUT_S,
        trust_env=not is_loopback(url),  # a proxy cannot reach this machine's own loopback
        event_hooks={"response": [_stop_on_error]},
    )


def _authorized(request: httpx2.Request, token: str) -> httpx2.Request:
    request.headers["authorization"] = f"Bearer {token}"
    return request


def _stop_on_error(answer: httpx2.Response) -> None:
    if answer.is_error:
        answer.read()
        sys.exit(f"{answer.request.method} {answer.request.url.path}: {answer.text}")
