"""Which CDK context values are accepted."""

from __future__ import annotations

from typing import Any

import pytest

from infra.components.log_group import RETENTION
from infra.settings import LOG_RETENTION_CHOICES, SettingsError, StageSettings


def test_without_context_the_defaults_hold() -> None:
    nothing: dict[str, Any] = {}
    assert StageSettings.from_context(nothing.get) == StageSettings()


def test_only_the_default_stages_names_have_nothing_added() -> None:
    assert StageSettings().named("BrightRunData") == "BrightRunData"
    assert StageSettings(stage="prod").named("BrightRunData") == "BrightRunData-prod"


def test_text_from_the_command_line_becomes_numbers() -> None:
    given = {"stage": "prod", "throttle_rate_per_s": "20", "log_retention_days": "365"}
    settings = StageSettings.from_context(given.get)
    assert (settings.stage, settings.throttle_rate_per_s) == ("prod", 20)
    assert settings.log_retention_days == 365


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "a b"),
        ("stage", "Prod"),
        ("stage", "my_stage"),
        ("stage", "seventeenletters1"),
        ("stage", "awsprod"),
        ("account", "12345"),
        ("region", "useast"),
        ("allowed_origin", "*"),
        ("allowed_origin", "https://*"),
        ("allowed_origin", "https://example.com/"),
        ("allowed_origin", "http://example.com"),
        ("allowed_origin", "https://example.com,https://example.org"),
        ("throttle_rate_per_s", "0"),
        ("throttle_burst", "10001"),
        ("throttle_burst", "many"),
        ("log_retention_days", "8"),
        ("noncurrent_version_days", "0"),
        ("log_level", "LOUD"),
        ("training_cuda", "11"),
        ("alarm_email", "ops"),
        ("worker_concurrency", "901"),
    ],
)
def test_a_value_that_cannot_be_deployed_is_named(name: str, value: str) -> None:
    given: dict[str, Any] = {name: value}
    with pytest.raises(SettingsError, match=rf"{name}=.* is not allowed: give "):
        StageSettings.from_context(given.get)


@pytest.mark.parametrize("origin", ["https://app.example.com", "http://localhost:5173"])
def test_an_origin_is_https_or_on_this_machine(origin: str) -> None:
    assert StageSettings(allowed_origin=origin).allowed_origin == origin


def test_every_retention_choice_can_be_deployed() -> None:
    assert tuple(RETENTION) == LOG_RETENTION_CHOICES
