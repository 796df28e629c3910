"""The Cognito user pool: signing in, renewing and ending a session."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from cli.config import Profile, Tokens, is_loopback
from cli.errors import CliError, NotSignedInError, RefusedError, UnavailableError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient

TROUBLE_CODES = frozenset({"TooManyRequestsException", "InternalErrorException"})
REFUSED_CODES = frozenset({"InvalidPasswordException", "UnsupportedTokenTypeException"})


class UserPool:
    """The user pool of one profile; its requests are unsigned and need no AWS credentials."""

    def __init__(self, profile: Profile, clock: Callable[[], float] = time.time) -> None:
        self._profile = profile
        self._clock = clock

    @contextmanager
    def _client(self) -> "Iterator[CognitoIdentityProviderClient]":
        """Yield a client for one exchange; its errors become CliErrors."""
        import boto3
        from botocore import UNSIGNED
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        endpoint = self._profile.endpoint_url
        config = Config(
            signature_version=UNSIGNED,
            connect_timeout=10,
            read_timeout=20,
            retries={"total_max_attempts": 4, "mode": "standard"},
            # A proxy cannot reach this machine's own loopback interface.
            proxies={} if endpoint and is_loopback(endpoint) else None,
        )
        try:
            with closing(
                boto3.client(
                    "cognito-idp",
                    region_name=self._profile.region,
                    endpoint_url=endpoint,
                    config=config,
                )
            ) as client:
                yield client
        except ClientError as error:
            raise _from_cognito(error.response) from error
        except BotoCoreError as error:
            raise UnavailableError(f"The user pool cannot be reached: {error}.") from error

    def sign_in(self, username: str, password: str, choose_password: Callable[[], str]) -> Tokens:
        """Exchange a password for tokens.

        `choose_password` is called only when the pool demands a new password, as it does after
        an administrator made the user. Raises NotSignedInError if the pool refuses.
        """
        with self._client() as client:
            answer: Mapping[str, Any] = client.initiate_auth(
                ClientId=self._profile.client_id,
                AuthFlow="USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": username, "PASSWORD": password},
            )
        challenge = answer.get("ChallengeName")
        if challenge == "NEW_PASSWORD_REQUIRED":
            answer = self._answer_new_password(username, choose_password(), answer["Session"])
        elif challenge:
            raise NotSignedInError(
                f"The user pool demands {challenge}, which this command cannot answer.",
                hint="Ask the administrator of the user pool for a user without it.",
            )
        return self._tokens(username, answer["AuthenticationResult"])

    def _answer_new_password(self, username: str, password: str, session: str) -> Mapping[str, Any]:
        with self._client() as client:
            return client.respond_to_auth_challenge(
                ClientId=self._profile.client_id,
                ChallengeName="NEW_PASSWORD_REQUIRED",
                Session=session,
                ChallengeResponses={"USERNAME": username, "NEW_PASSWORD": password},
            )

    def renew(self, tokens: Tokens) -> Tokens:
        """Get a fresh access token; raises NotSignedInError when the refresh token has ended."""
        with self._client() as client:
            answer = client.initiate_auth(
                ClientId=self._profile.client_id,
                AuthFlow="REFRESH_TOKEN_AUTH",
                AuthParameters={"REFRESH_TOKEN": tokens.refresh_token},
            )
        result = answer["AuthenticationResult"]
        # Cognito repeats the refresh token only where rotation is switched on.
        return self._tokens(tokens.username, {"RefreshToken": tokens.refresh_token, **result})

    def revoke(self, tokens: Tokens) -> None:
        """Revoke the session on the server, so that a copied refresh token is useless."""
        with self._client() as client:
            client.revoke_token(ClientId=self._profile.client_id, Token=tokens.refresh_token)

    def _tokens(self, username: str, result: Mapping[str, Any]) -> Tokens:
        return Tokens(
            username=username,
            access_token=result["AccessToken"],
            id_token=result["IdToken"],
            refresh_token=result["RefreshToken"],
            expires_at=self._clock() + result["ExpiresIn"],
        )


def _from_cognito(response: Mapping[str, Any]) -> CliError:
    code = response["Error"]["Code"]
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    message = f"The user pool refused: {response['Error']['Message']}"
    if code == "ResourceNotFoundException":
        return UsageError(message, code=code, status=status, hint="Run `brightrun configure`.")
    if code in REFUSED_CODES:
        return RefusedError(message, code=code, status=status)
    if code in TROUBLE_CODES or status >= 500:
        return UnavailableError(message, code=code, status=status, hint="Try again shortly.")
    return NotSignedInError(
        message, code=code, status=status, hint="Sign in with `brightrun login`."
    )
