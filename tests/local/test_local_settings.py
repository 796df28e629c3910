"""Settings come from arguments, then from the environment, then from the defaults."""

from pathlib import Path

import pytest

from local.settings import REPOSITORY, Settings, SettingsError


def test_defaults_are_the_documented_port_and_folder() -> None:
    settings = Settings.from_environment({})
    assert settings.port == 8610
    assert settings.data_dir == Path(".local").absolute()
    assert settings.template_dir == Path("cdk.out").absolute()


def test_environment_comes_before_the_defaults_and_arguments_before_both() -> None:
    environ = {"BRIGHTRUN_PORT": "9000", "BRIGHTRUN_DATA_DIR": "/from/environment"}
    assert Settings.from_environment(environ).port == 9000
    assert Settings.from_environment(environ, port=0).port == 0
    assert Settings.from_environment(environ).data_dir == Path("/from/environment")
    assert Settings.from_environment(environ, data_dir=Path("/x")).data_dir == Path("/x")


@pytest.mark.parametrize("port", ["http", "-1", "65535", "8610.5", ""])
def test_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(SettingsError, match="0 to 65534"):
        Settings.from_environment({"BRIGHTRUN_PORT": port})


def test_key_is_not_shown() -> None:
    settings = Settings.from_environment({"ANTHROPIC_API_KEY": "sk-real-key"})
    assert settings.anthropic_api_key == "sk-real-key"
    assert "sk-real-key" not in repr(settings)


def test_training_runs_in_the_repository_s_own_environment_unless_told_otherwise() -> None:
    settings = Settings.from_environment({"BRIGHTRUN_TRAINING_PYTHON": ""})
    assert settings.training_python == REPOSITORY / ".venv-train" / "bin" / "python"
    assert settings.training_entry_point.is_file()
    assert settings.training_places == 1
    environ = {"BRIGHTRUN_TRAINING_PYTHON": "/opt/python", "BRIGHTRUN_TRAINING_PLACES": "2"}
    assert Settings.from_environment(environ).training_python == Path("/opt/python")
    assert Settings.from_environment(environ).training_places == 2


@pytest.mark.parametrize("places", ["0", "17", "many"])
def test_number_of_training_places_that_is_none_is_refused(places: str) -> None:
    with pytest.raises(SettingsError, match="from 1 to 16"):
        Settings.from_environment({"BRIGHTRUN_TRAINING_PLACES": places})
