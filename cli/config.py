"""Profiles and sessions on disk."""

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cli.errors import UsageError
from cli.private_files import delete_private, read_json_object, write_private_json

DEFAULT_PROFILE = "default"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
PROFILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Profile:
    """The connection to one system; `endpoint_url` is set only for the local engine.

    `generator` says what a local system writes conversations with: "simulated" or "claude".
    """

    name: str
    api_url: str
    region: str
    client_id: str
    endpoint_url: str | None = None
    generator: str | None = None


@dataclass(frozen=True)
class Tokens:
    """What Cognito gave out; `expires_at` is Unix time in seconds of the access token."""

    username: str
    access_token: str
    id_token: str
    refresh_token: str
    expires_at: float


Stored = TypeVar("Stored", Profile, Tokens)


def is_loopback(url: str) -> bool:
    """Tell whether the address stays on this machine."""
    return urlsplit(url).hostname in LOOPBACK_HOSTS


def require_safe_url(url: str, where: str) -> str:
    """Return the address without a trailing slash.

    Raises UsageError for anything but https, since a session token travels with each request;
    plain http is accepted on the loopback interface only.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in {"http", "https"}:
        raise UsageError(f"{where} is not a web address: {url!r}.", hint="Write https://HOST.")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(
            f"{where} uses plain http: {url!r}.",
            hint="Use https; http is accepted only for 127.0.0.1, ::1 and localhost.",
        )
    return url.rstrip("/")


def config_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of settings: BRIGHTRUN_CONFIG_DIR, else the XDG one."""
    if own := environ.get("BRIGHTRUN_CONFIG_DIR"):
        return Path(own)
    base = environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "brightrun"


class ProfileStore:
    """Profiles and their tokens, one file of mode 0600 for each, so that nothing is merged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _file(self, kind: str, name: str) -> Path:
        if not PROFILE_NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} cannot be a profile name.",
                hint="Use up to 64 letters, digits, dots, dashes and underscores.",
            )
        return self._folder / kind / f"{name}.json"

    @property
    def current_name(self) -> str:
        """The profile last configured or signed in to."""
        path = self._folder / "current.json"
        return str(read_json_object(path)["profile"]) if path.exists() else DEFAULT_PROFILE

    def load(self, name: str) -> Profile:
        """Read a profile; UsageError says how to make it when it is missing."""
        path = self._file("profiles", name)
        if not path.exists():
            raise UsageError(
                f"There is no profile {name!r} in {self._folder}.",
                code="no_profile",
                hint="For the local system run `brightrun login --local`; for a deployed one "
                "`brightrun configure --outputs outputs.json`.",
            )
        return _record(Profile, path, read_json_object(path))

    def save(self, profile: Profile) -> None:
        """Store a profile and make it the current one.

        Tokens of a system the profile no longer names are dropped: they must never be sent to
        another address.
        """
        path = self._file("profiles", profile.name)
        if not path.exists() or not _same_system(profile, self.load(profile.name)):
            self.delete_tokens(profile.name)
        write_private_json(path, asdict(profile))
        self.make_current(profile.name)

    def make_current(self, name: str) -> None:
        """Make a profile the default of commands without --profile."""
        write_private_json(self._folder / "current.json", {"profile": name})

    def load_tokens(self, name: str) -> Tokens | None:
        """Read the stored session, or None if there is none."""
        path = self._file("tokens", name)
        return _record(Tokens, path, read_json_object(path)) if path.exists() else None

    def save_tokens(self, name: str, tokens: Tokens) -> None:
        """Store a session."""
        write_private_json(self._file("tokens", name), asdict(tokens))

    def delete_tokens(self, name: str) -> None:
        """Delete a session, if there is one."""
        delete_private(self._file("tokens", name))


def _same_system(one: Profile, other: Profile) -> bool:
    return replace(one, generator=None) == replace(other, generator=None)


def _record(kind: type[Stored], path: Path, document: dict[str, Any]) -> Stored:
    try:
        return kind(**document)
    except TypeError as error:
        raise UsageError(
            f"{path} is not a {kind.__name__.lower()} file of this version.",
            hint=f"Delete {path}, then configure and sign in again.",
        ) from error
