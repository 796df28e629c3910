"""A signed-in session of one profile: tokens on disk, renewed before they expire."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.config import Profile, ProfileStore, Tokens
from cli.errors import CliError, NotSignedInError, UsageError
from cli.outputs import read_local_user, read_profile
from cli.user_pool import UserPool

LOCAL_PROFILE = "local"
RENEW_BEFORE_S = 60.0  # longer than one request may take, so that no token expires on its way


class Session:
    """The session of one profile; the TokenSource of an ApiClient."""

    def __init__(
        self,
        profile: Profile,
        store: ProfileStore,
        pool: UserPool | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.profile = profile
        self._store = store
        self._pool = pool or UserPool(profile, clock)
        self._clock = clock

    def sign_in(self, username: str, password: str, choose_password: Callable[[], str]) -> Tokens:
        """Sign in and keep the tokens; raises NotSignedInError if the pool refuses."""
        tokens = self._pool.sign_in(username, password, choose_password)
        self._store.save_tokens(self.profile.name, tokens)
        return tokens

    def access_token(self, *, renew: bool = False) -> str:
        """Return a token that is valid for another minute, renewing it when needed or asked.

        Raises NotSignedInError without a session, or after it has expired.
        """
        tokens = self._stored()
        if renew or tokens.expires_at - self._clock() < RENEW_BEFORE_S:
            tokens = self._pool.renew(tokens)
            self._store.save_tokens(self.profile.name, tokens)
        return tokens.access_token

    @property
    def username(self) -> str:
        """The user name; raises NotSignedInError without a session."""
        return self._stored().username

    def claims(self) -> dict[str, Any]:
        """Return the claims of the current identity token, for display: nothing is verified."""
        self.access_token()
        payload = self._stored().id_token.split(".")[1]
        padded = payload + "=" * (-len(payload) % 4)
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
        return claims

    def sign_out(self) -> bool:
        """Delete the tokens and revoke the session; return whether the server confirmed it."""
        tokens = self._store.load_tokens(self.profile.name)
        self._store.delete_tokens(self.profile.name)
        if tokens is None:
            return False
        try:
            self._pool.revoke(tokens)
        except CliError:
            return False
        return True

    def _stored(self) -> Tokens:
        tokens = self._store.load_tokens(self.profile.name)
        if tokens is None:
            raise NotSignedInError(
                f"Profile {self.profile.name!r} is not signed in.",
                hint="Run `brightrun login` (`brightrun login --local` for the local system).",
            )
        return tokens


def sign_in_locally(
    outputs: Path, store: ProfileStore, profile_name: str = LOCAL_PROFILE
) -> Session:
    """Make a profile of the running local system and sign in to it without prompting.

    Raises UsageError when the local system has left no outputs file, NotSignedInError when its
    user pool does not accept the password it wrote.
    """
    if not outputs.exists():
        raise UsageError(
            f"There is no local system: {outputs} does not exist.",
            hint="Start it with `make up`, or name its data folder in BRIGHTRUN_DATA_DIR.",
        )
    user = read_local_user(outputs)
    profile = read_profile(outputs, profile_name)
    session = Session(profile, store)
    store.save(profile)
    session.sign_in(user.username, user.password, _no_new_password)
    return session


def _no_new_password() -> str:
    raise NotSignedInError(
        "The local user pool demands a new password.",
        hint="Stop the local system, delete its data folder and start it again.",
    )
