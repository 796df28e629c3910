"""Claude with a key, the simulator without, neither where the templates know of none."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.claude_check import ClaudeRefused
from local.deploy.cloud_assembly import StackArtifact
from local.generator import SimulatorFailed, choose_generator
from local.lifeline import Lifeline
from local.settings import DataFolder, Settings

MODEL = "claude-sonnet-5-5"
WITH_CLAUDE = StackArtifact(
    "S",
    '{"Parameters": {"ClaudeProvider": {}, "ClaudeModel": {"Default": "claude-haiku-5-5"}},'
    ' "Resources": {}}',
    (),
)
WITHOUT = StackArtifact("S", '{"Resources": {}}', ())


def _settings(tmp_path: Path, **environ: str) -> Settings:
    unasked = {"BRIGHTRUN_CLAUDE_CHECK": "off", **environ}
    return Settings.from_environment(unasked, port=0, data_dir=tmp_path)


def test_key_means_claude(tmp_path: Path) -> None:
    settings = _settings(tmp_path, ANTHROPIC_API_KEY="k", BRIGHTRUN_CLAUDE_MODEL=MODEL)
    generator = choose_generator(settings, [WITH_CLAUDE], DataFolder(tmp_path), lifeline=0)
    assert generator.name == "claude"
    assert generator.parameters == {
        "ClaudeProvider": "direct",
        "ClaudeBaseUrl": "",
        "ClaudeModel": MODEL,
        "LeaseSeconds": "10",
        "RetryBaseSeconds": "1",
        "WatchSeconds": "1",
        "CapacityRetrySeconds": "2",
    }


def test_unknown_model_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    settings = _settings(tmp_path, ANTHROPIC_API_KEY="k", BRIGHTRUN_CLAUDE_MODEL="claude-x")
    with pytest.raises(ClaudeRefused, match=r"'claude-x' is not known; use one of claude-.*MODEL"):
        choose_generator(settings, [WITH_CLAUDE], DataFolder(tmp_path), lifeline=0)


def test_claude_is_asked_for_the_model_of_the_templates_at_the_address_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("local.generator.check_claude", lambda *question: asked.append(question))
    settings = _settings(
        tmp_path,
        ANTHROPIC_API_KEY="k",
        BRIGHTRUN_CLAUDE_CHECK="",
        BRIGHTRUN_CLAUDE_BASE_URL="http://127.0.0.1:9",
    )
    generator = choose_generator(settings, [WITH_CLAUDE], DataFolder(tmp_path), lifeline=0)
    assert asked == [("http://127.0.0.1:9", "k", "claude-haiku-5-5")]
    assert generator.parameters["ClaudeBaseUrl"] == "http://127.0.0.1:9"


def test_a_retirement_that_claude_announces_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = datetime.now(UTC).date() + timedelta(days=30)
    monkeypatch.setattr("local.generator.check_claude", lambda *_: soon)
    settings = _settings(tmp_path, ANTHROPIC_API_KEY="k", BRIGHTRUN_CLAUDE_CHECK="")
    generator = choose_generator(settings, [WITH_CLAUDE], DataFolder(tmp_path), lifeline=0)
    assert f"claude-haiku-5-5 retires on {soon}, in 30 days" in str(generator.notice)


def test_templates_without_claude_need_no_generator(tmp_path: Path) -> None:
    generator = choose_generator(_settings(tmp_path), [WITHOUT], DataFolder(tmp_path), lifeline=0)
    assert generator.name == "none"
    assert "ClaudeProvider" not in generator.parameters


@pytest.mark.slow
def test_without_a_key_the_simulator_serves_until_the_lifeline_is_cut(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.create()
    lifeline = Lifeline()
    settings = _settings(tmp_path, BRIGHTRUN_SIMULATOR_LATENCY="0")
    generator = choose_generator(settings, [WITH_CLAUDE], folder, lifeline.descriptor)
    url = generator.parameters["ClaudeBaseUrl"]
    assert generator.name == "simulated"
    assert generator.parameters["ClaudeProvider"] == "simulator"
    assert _listens(url)
    lifeline.cut()
    assert generator.simulator is not None
    generator.simulator.wait(20)
    assert not _listens(url)
    generator.stop()


@pytest.mark.slow
def test_stopping_the_generator_ends_the_simulator(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.create()
    lifeline = Lifeline()
    generator = choose_generator(_settings(tmp_path), [WITH_CLAUDE], folder, lifeline.descriptor)
    generator.stop()
    assert not _listens(generator.parameters["ClaudeBaseUrl"])
    lifeline.cut()


@pytest.mark.slow
def test_simulator_that_does_not_start_is_an_error_with_its_log(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.create()
    lifeline = Lifeline()
    settings = _settings(tmp_path, BRIGHTRUN_SIMULATOR_LATENCY="not a number")
    with pytest.raises(SimulatorFailed, match=r"claude_simulator\.log"):
        choose_generator(settings, [WITH_CLAUDE], folder, lifeline.descriptor)
    lifeline.cut()


def _listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))).close()
    except ConnectionRefusedError:
        return False
    return True
