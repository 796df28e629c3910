"""The three Cognito actions that signing in needs, with one user."""

import base64
import json
from typing import Any

USERNAME = "elena@example.com"
PASSWORD = "Correct-Horse-1"
CLIENT_ID = "client-1"


def _jwt(claims: dict[str, Any]) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


class FakeUserPool:
    """Gives out numbered tokens; a test changes what the next sign-in demands or lasts."""

    def __init__(self) -> None:
        self.password = PASSWORD
        self.must_change_password = False
        self.challenge = "NEW_PASSWORD_REQUIRED"
        self.fault: tuple[int, str] | None = None
        self.seconds_valid = 3600
        self.valid_access_tokens: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.actions: list[str] = []

    def answer(self, target: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        action = target.rpartition(".")[2]
        self.actions.append(body.get("AuthFlow", action))
        if self.fault:
            status, code = self.fault
            return status, self._error(code, "Out of order.")[1]
        if body["ClientId"] != CLIENT_ID:
            return self._error("ResourceNotFoundException", "User pool client does not exist.")
        if action == "RevokeToken":
            self.refresh_tokens.discard(body["Token"])
            return 200, {}
        if action == "RespondToAuthChallenge":
            return self._change_password(body)
        if body["AuthFlow"] == "REFRESH_TOKEN_AUTH":
            return self._renew(body["AuthParameters"]["REFRESH_TOKEN"])
        return self._sign_in(body["AuthParameters"])

    def _sign_in(self, given: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if given != {"USERNAME": USERNAME, "PASSWORD": self.password}:
            return self._error("NotAuthorizedException", "Incorrect username or password.")
        if self.must_change_password:
            return 200, {
                "ChallengeName": self.challenge,
                "Session": "session-0123456789abcdef",
                "ChallengeParameters": {},
            }
        return self._success(f"refresh-{len(self.refresh_tokens) + 1}")

    def _change_password(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        chosen = body["ChallengeResponses"]["NEW_PASSWORD"]
        if len(chosen) < 12:
            return self._error("InvalidPasswordException", "Password not long enough")
        self.password, self.must_change_password = chosen, False
        return self._success("refresh-1")

    def _renew(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        if refresh_token not in self.refresh_tokens:
            return self._error("NotAuthorizedException", "Refresh Token has expired")
        status, document = self._success(refresh_token)
        del document["AuthenticationResult"]["RefreshToken"]
        return status, document

    def _success(self, refresh_token: str) -> tuple[int, dict[str, Any]]:
        access = f"access-{len(self.actions)}"
        self.valid_access_tokens.add(access)
        self.refresh_tokens.add(refresh_token)
        result = {
            "AccessToken": access,
            "IdToken": _jwt({"sub": "owner-1", "email": USERNAME}),
            "RefreshToken": refresh_token,
            "ExpiresIn": self.seconds_valid,
            "TokenType": "Bearer",
        }
        return 200, {"AuthenticationResult": result, "ChallengeParameters": {}}

    @staticmethod
    def _error(code: str, message: str) -> tuple[int, dict[str, Any]]:
        return 400, {"__type": code, "message": message}
