"""The smoke test: its price before it starts, its steps, and what it leaves behind."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cli.config import ProfileStore
from cli.render import make_console
from cli.training_options import LOCAL_GPU, local_model
from infra.components.claude_parameters import PARAMETERS
from infra.settings import StageSettings
from smoke import systems
from smoke.__main__ import main
from smoke.price import DEFAULT_MODEL, price_lines
from smoke.steps import Report, SmokeFailed, Training, walk
from smoke.systems import AWS_TRAINING, stage_on_aws
from tests.e2e.conftest import Installation

SETTINGS = StageSettings(stage="smoke")
SYSTEM = "smoke.__main__.stage_on_aws"


def test_the_price_is_told_in_parts_and_together() -> None:
    lines = list(price_lines(AWS_TRAINING))
    assert "3 conversations by claude-sonnet-5-5: about $0.10" in lines
    assert any("L4, which stops before: $2.00" in line for line in lines)
    assert lines[-1] == "together at most about $2.35"


def test_the_price_is_that_of_the_model_of_the_templates() -> None:
    assert PARAMETERS["CLAUDE_MODEL"][1]["default"] == DEFAULT_MODEL


@pytest.mark.parametrize("answer", ["", "n", "no"])
def test_whoever_declines_the_price_pays_nothing(
    answer: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    monkeypatch.setattr(SYSTEM, lambda *_, **__: pytest.fail("It was deployed."))
    assert main(["--stage", "smoke"]) == 1
    said = capsys.readouterr().out
    assert "together at most" in said
    assert "Nothing was changed" in said


def test_the_default_stage_is_never_destroyed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stage", "dev", "--yes"]) == 1
    assert "may be somebody's" in capsys.readouterr().err


def test_nothing_is_deployed_without_a_key_of_claude(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    monkeypatch.setattr(systems, "deploy", lambda *_: pytest.fail("It was deployed."))
    assert main(["--stage", "smoke", "--yes"]) == 1
    assert "ANTHROPIC_API_KEY is not set" in capsys.readouterr().err


@pytest.fixture
def destroyed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    stages: list[str] = []

    def destroy(settings: StageSettings, *_: Any, delete_data: bool) -> Iterator[str]:
        assert delete_data
        stages.append(settings.stage)
        yield "deleted    everything"

    monkeypatch.setattr(systems, "destroy", destroy)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    return stages


def failing_deploy(*_: Any) -> None:
    raise subprocess.CalledProcessError(2, ["make", "deploy"])


def test_a_stage_that_failed_to_deploy_is_destroyed_all_the_same(
    destroyed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(systems, "deploy", failing_deploy)
    assert main(["--stage", "smoke", "--yes"]) == 1
    assert destroyed == ["smoke"]
    assert "make ended with 2" in capsys.readouterr().err


def test_a_stage_that_is_to_be_kept_is_not_destroyed(
    destroyed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systems, "deploy", failing_deploy)
    console = make_console()
    with (
        pytest.raises(subprocess.CalledProcessError),
        stage_on_aws(SETTINGS, console, keep=True),
    ):
        pytest.fail("It was deployed.")
    assert destroyed == []


def test_a_step_that_fails_ends_the_test_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def system(*_: Any) -> Iterator[tuple[None, Training]]:
        yield None, AWS_TRAINING

    def failing_walk(*_: Any) -> None:
        raise SmokeFailed("1 of 3 conversations were written: Claude answered 401.")

    monkeypatch.setattr("smoke.__main__.local_system", system)
    monkeypatch.setattr("smoke.__main__.walk", failing_walk)
    assert main(["--local"]) == 1
    captured = capsys.readouterr()
    assert "Claude answered 401" in captured.err
    assert captured.out == ""


def test_the_deployed_stage_gets_its_key_and_a_user_with_a_password_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    class Cognito:
        def __getattr__(self, name: str) -> Any:
            return lambda **given: asked.append((name, given))

    monkeypatch.setattr("cli.session.Session.sign_in", lambda *given: asked.append(("in", given)))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        vault = boto3.client("secretsmanager", "us-east-1")
        vault.create_secret(Name="key", SecretString="none yet")
        outputs = tmp_path / "outputs.json"
        api = {
            "ApiUrl": "https://api.example.invalid",
            "Region": "us-east-1",
            "UserPoolClientId": "client",
            "UserPoolId": "pool",
        }
        document = {"Api": api, "Workflows": {"ClaudeApiKeySecretArn": "key"}}
        outputs.write_text(json.dumps(document))

        class Session:
            def client(self, service: str) -> Any:
                return Cognito() if service == "cognito-idp" else vault

        session = systems.sign_in(Session(), outputs, "sk-test", ProfileStore(tmp_path / "cli"))
        assert vault.get_secret_value(SecretId="key")["SecretString"] == "sk-test"
    assert [name for name, _ in asked] == ["admin_create_user", "admin_set_user_password", "in"]
    assert asked[0][1]["MessageAction"] == "SUPPRESS"
    assert asked[1][1]["Permanent"]
    assert session.profile.api_url == "https://api.example.invalid"


@pytest.mark.slow
def test_the_whole_path_on_this_machine(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data")
    installation.start(trains=True)
    try:
        report = Report(make_console())
        training = Training(local_model(installation.client), LOCAL_GPU)
        walk(installation.client, training, tmp_path / "adapter", report)
    finally:
        installation.stop()
    assert len(report.seconds) == 5
    assert report.made["files"] == len(list((tmp_path / "adapter").iterdir()))
    assert (tmp_path / "adapter" / "adapter_model.safetensors").stat().st_size > 0
