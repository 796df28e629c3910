"""configure, login, and the profiles they leave."""

import json
from pathlib import Path

import pytest

from cli.config import config_dir
from tests.cli.conftest import BrightRun
from tests.cli.fake_cognito import PASSWORD, USERNAME
from tests.cli.fake_routes import outputs_document
from tests.cli.fake_system import FakeSystem


def test_local_login_asks_nothing_and_signs_in(signed_in: None, brightrun: BrightRun) -> None:
    who = json.loads(brightrun("whoami", "--json").stdout)

    assert (who["profile"], who["email"], who["sub"]) == ("local", USERNAME, "owner-1")
    assert who["generator"] == "simulated"


def test_local_login_without_a_local_system_says_how_to_start_it(brightrun: BrightRun) -> None:
    result = brightrun("login", "--local")

    assert result.exit_code == 2
    assert "make up" in result.stderr


def test_local_login_takes_no_user_of_its_own(brightrun: BrightRun, local_outputs: Path) -> None:
    assert brightrun("login", "--local", "--username", "somebody").exit_code == 2


def test_password_comes_from_standard_input(configured: None, brightrun: BrightRun) -> None:
    result = brightrun(
        "login", "--username", USERNAME, "--password-stdin", "--json", typed=f"{PASSWORD}\n"
    )

    assert result.exit_code == 0
    assert json.loads(result.stdout)["username"] == USERNAME


def test_login_asks_for_what_is_not_given(configured: None, brightrun: BrightRun) -> None:
    result = brightrun("login", typed=f"{USERNAME}\n{PASSWORD}\n")

    assert result.exit_code == 0
    assert PASSWORD not in result.output


def test_json_login_refuses_to_ask(configured: None, brightrun: BrightRun) -> None:
    result = brightrun("login", "--json", typed=f"{USERNAME}\n{PASSWORD}\n")

    assert result.exit_code == 2
    assert "--username" in json.loads(result.stderr)["error"]


def test_password_on_standard_input_needs_the_username_beside_it(
    configured: None, brightrun: BrightRun
) -> None:
    assert brightrun("login", "--password-stdin", typed=f"{PASSWORD}\n").exit_code == 2


def test_demanded_new_password_is_the_second_line(
    configured: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    system.user_pool.must_change_password = True
    arguments = ("login", "--username", USERNAME, "--password-stdin")

    missing = brightrun(*arguments, typed=f"{PASSWORD}\n")
    weak = brightrun(*arguments, typed=f"{PASSWORD}\nshort\n")
    chosen = brightrun(*arguments, typed=f"{PASSWORD}\nA-longer-Password-2\n")

    assert [missing.exit_code, weak.exit_code, chosen.exit_code] == [2, 5, 0]
    assert "new password" in missing.stderr
    assert system.user_pool.password == "A-longer-Password-2"


def test_demanded_new_password_is_asked_for_twice(
    configured: None, brightrun: BrightRun, system: FakeSystem
) -> None:
    system.user_pool.must_change_password = True
    new = "A-longer-Password-2"

    result = brightrun("login", "--username", USERNAME, typed=f"{PASSWORD}\n{new}\n{new}\n")

    assert result.exit_code == 0
    assert system.user_pool.password == new


def test_profile_can_be_given_by_hand(brightrun: BrightRun) -> None:
    result = brightrun(
        "configure",
        *("--profile", "prod", "--api-url", "https://api.example.com/"),
        *("--region", "eu-west-1", "--client-id", "abc", "--json"),
    )

    assert json.loads(result.stdout) == {
        "profile": "prod",
        "api_url": "https://api.example.com",
        "region": "eu-west-1",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--api-url", "https://api.example.com"],
        ["--api-url", "http://api.example.com", "--region", "r", "--client-id", "c"],
        ["--api-url", "api.example.com", "--region", "r", "--client-id", "c"],
        ["--outputs", "missing.json"],
        ["--outputs", "empty.json"],
        ["--outputs", "list.json"],
        ["--outputs", "broken.json"],
        ["--outputs", "empty.json", "--region", "r"],
        ["--profile", "../up", "--api-url", "https://a.b", "--region", "r", "--client-id", "c"],
    ],
)
def test_unusable_configuration_is_refused(
    brightrun: BrightRun, arguments: list[str], tmp_path: Path
) -> None:
    for name, text in (("empty", "{}"), ("list", "[]"), ("broken", "{")):
        (tmp_path / f"{name}.json").write_text(text)

    result = brightrun("configure", *arguments, "--json")

    assert result.exit_code == 2
    assert json.loads(result.stderr)["code"] == "usage"
    assert result.stdout == ""


def test_plain_http_is_refused_because_a_token_would_travel_with_it(brightrun: BrightRun) -> None:
    arguments = ("--api-url", "http://api.example.com", "--region", "r", "--client-id", "c")

    assert "https" in brightrun("configure", *arguments).stderr


def test_missing_profile_says_how_to_make_one(brightrun: BrightRun) -> None:
    result = brightrun("batch", "list")

    assert result.exit_code == 2
    assert "brightrun login --local" in result.stderr


def test_signing_in_again_keeps_the_profile_current(
    signed_in: None, brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    other.write_text(json.dumps(outputs_document(system)))
    brightrun("configure", "--profile", "other", "--outputs", str(other))
    assert brightrun("whoami").exit_code == 3

    brightrun("login", "--local")

    assert json.loads(brightrun("whoami", "--json").stdout)["profile"] == "local"


def test_profile_of_the_environment_goes_before_the_current_one(
    signed_in: None, brightrun: BrightRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIGHTRUN_PROFILE", "nowhere")

    assert "'nowhere'" in brightrun("whoami").stderr


def test_unknown_app_client_asks_to_configure(
    configured: None, brightrun: BrightRun, system: FakeSystem, tmp_path: Path
) -> None:
    document = outputs_document(system)
    document["BrightRunApi"]["UserPoolClientId"] = "other"
    (tmp_path / "outputs.json").write_text(json.dumps(document))
    brightrun("configure", "--outputs", str(tmp_path / "outputs.json"))

    result = brightrun("login", "--username", USERNAME, "--password-stdin", typed=PASSWORD)

    assert result.exit_code == 2
    assert "brightrun configure" in result.stderr


def test_local_login_needs_the_local_systems_own_section(
    brightrun: BrightRun, local_outputs: Path, system: FakeSystem
) -> None:
    document = outputs_document(system)
    del document["Local"]
    local_outputs.write_text(json.dumps(document))

    result = brightrun("login", "--local")

    assert result.exit_code == 2
    assert "'Local'" in result.stderr


def test_local_login_without_the_password_file_names_it(
    brightrun: BrightRun, local_outputs: Path
) -> None:
    (local_outputs.parent / "password").unlink()

    result = brightrun("login", "--local")

    assert result.exit_code == 2
    assert str(local_outputs.parent / "password") in result.stderr


def test_local_login_never_changes_the_password(
    brightrun: BrightRun, local_outputs: Path, system: FakeSystem
) -> None:
    system.user_pool.must_change_password = True

    assert brightrun("login", "--local").exit_code == 3
    assert system.user_pool.password == PASSWORD


def test_settings_that_cannot_be_written_are_told(
    brightrun: BrightRun, local_outputs: Path, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("a file where a folder should be")

    result = brightrun("login", "--local")

    assert result.exit_code == 2
    assert "BRIGHTRUN_CONFIG_DIR" in result.stderr


def test_settings_follow_the_xdg_folder_unless_told_otherwise(tmp_path: Path) -> None:
    own, xdg = str(tmp_path / "own"), str(tmp_path / "xdg")

    assert config_dir({"BRIGHTRUN_CONFIG_DIR": own, "XDG_CONFIG_HOME": xdg}) == Path(own)
    assert config_dir({"XDG_CONFIG_HOME": xdg}) == Path(xdg) / "brightrun"
    assert config_dir({}) == Path.home() / ".config" / "brightrun"
