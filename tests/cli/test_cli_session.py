"""Keeping a session: renewing it, losing it, ending it, and a user pool in trouble."""

import json
from pathlib import Path

import pytest

from cli.config import Profile
from cli.errors import UnavailableError
from cli.user_pool import UserPool
from tests.cli.conftest import BrightRun
from tests.cli.fake_cognito import PASSWORD, USERNAME
from tests.cli.fake_system import Answer, FakeSystem


def test_stored_files_can_be_read_by_their_owner_only(signed_in: None, tmp_path: Path) -> None:
    stored = [path for path in (tmp_path / "config").rglob("*") if path.is_file()]

    assert len(stored) == 3
    assert {path.stat().st_mode & 0o777 for path in stored} == {0o600}
    assert (tmp_path / "config" / "tokens").stat().st_mode & 0o777 == 0o700


def test_wrong_password_is_not_signed_in(configured: None, brightrun: BrightRun) -> None:
    result = brightrun("login", "--username", USERNAME, "--password-stdin", typed="wrong\n")

    assert result.exit_code == 3
    assert "Incorrect username or password" in result.stderr


def test_expired_token_is_renewed_before_the_request(
    brightrun: BrightRun, local_outputs: Path, system: FakeSystem
) -> None:
    system.user_pool.seconds_valid = 30  # inside the margin: counts as expired
    brightrun("login", "--local")

    assert brightrun("batch", "list", "--json").exit_code == 0
    assert "REFRESH_TOKEN_AUTH" in system.user_pool.actions
    assert [one.headers["authorization"] for one in system.requests] != ["Bearer access-1"]


def test_token_the_server_no_longer_accepts_is_renewed_once(
    signed_in: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    system.user_pool.valid_access_tokens.clear()

    assert brightrun("batch", "list", "--json").exit_code == 0
    assert system.user_pool.actions.count("REFRESH_TOKEN_AUTH") == 1


def test_ended_session_asks_to_sign_in_again(
    signed_in: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    system.user_pool.valid_access_tokens.clear()
    system.user_pool.refresh_tokens.clear()

    result = brightrun("batch", "list", "--json")

    assert result.exit_code == 3
    assert "brightrun login" in json.loads(result.stderr)["error"]


def test_server_that_refuses_a_fresh_token_is_not_asked_forever(
    signed_in: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    refusal = Answer(401, b'{"message":"Unauthorized"}')
    system.fail_next("GET", "/api/batch-jobs", refusal, refusal)

    assert brightrun("batch", "list").exit_code == 3
    assert len(system.requests) == 2


def test_logout_forgets_the_session_here_and_on_the_server(
    signed_in: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    assert json.loads(brightrun("logout", "--json").stdout)["ended_on_server"] is True
    assert system.user_pool.refresh_tokens == set()
    assert brightrun("whoami").exit_code == 3
    assert json.loads(brightrun("logout", "--json").stdout)["ended_on_server"] is False


def test_tokens_of_another_system_are_dropped(signed_in: None, brightrun: BrightRun) -> None:
    brightrun(
        *("configure", "--profile", "local", "--api-url", "https://api.example.com"),
        *("--region", "r", "--client-id", "c"),
    )

    assert brightrun("whoami").exit_code == 3


def test_damaged_settings_say_which_file_to_delete(
    signed_in: None, brightrun: BrightRun, tmp_path: Path
) -> None:
    tokens = tmp_path / "config" / "tokens" / "local.json"
    tokens.write_text('{"access": "x"}')

    result = brightrun("whoami")

    assert result.exit_code == 2
    assert str(tokens) in result.stderr


def test_challenge_that_cannot_be_answered_is_named(
    configured: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    system.user_pool.must_change_password = True
    system.user_pool.challenge = "SOFTWARE_TOKEN_MFA"

    result = brightrun("login", "--username", USERNAME, "--password-stdin", typed=PASSWORD)

    assert result.exit_code == 3
    assert "SOFTWARE_TOKEN_MFA" in result.stderr


@pytest.fixture
def impatient_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)


@pytest.mark.usefixtures("configured", "impatient_boto3")
@pytest.mark.parametrize(
    "fault", [(400, "TooManyRequestsException"), (500, "InternalErrorException")]
)
def test_user_pool_in_trouble_is_no_refusal(
    brightrun: BrightRun, system: FakeSystem, fault: tuple[int, str]
) -> None:
    system.user_pool.fault = fault

    result = brightrun("login", "--username", USERNAME, "--password-stdin", typed=PASSWORD)

    assert result.exit_code == 6


def test_user_pool_that_cannot_be_reached_is_trouble(impatient_boto3: None) -> None:
    away = "http://127.0.0.1:9"
    pool = UserPool(Profile("local", away, "us-east-1", "client-1", endpoint_url=away))

    with pytest.raises(UnavailableError, match="cannot be reached"):
        pool.sign_in(USERNAME, PASSWORD, lambda: "")


def test_logout_forgets_the_session_even_when_the_user_pool_is_away(
    signed_in: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    system.user_pool.fault = (400, "UnsupportedOperationException")

    assert json.loads(brightrun("logout", "--json").stdout)["ended_on_server"] is False
    assert brightrun("whoami").exit_code == 3
