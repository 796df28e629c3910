"""domain init, check and preview, which need no server."""

import json
from pathlib import Path

import pytest

from cli.errors import ExitCode
from tests.cli.conftest import BrightRun


@pytest.fixture
def folder(brightrun: BrightRun, tmp_path: Path) -> Path:
    written = tmp_path / "packs" / "tax_help"
    assert brightrun("domain", "init", str(written), "--key", "tax_help").exit_code == ExitCode.OK
    return written


def test_a_new_pack_is_complete_and_bears_its_key(brightrun: BrightRun, folder: Path) -> None:
    result = brightrun("domain", "check", str(folder), "--json")
    assert result.exit_code == ExitCode.OK
    assert json.loads(result.stdout)["faults"] == []
    assert "KEY" not in "".join(one.read_text("utf-8") for one in folder.rglob("*.*"))
    assert (folder / "templates" / "tax_help_uncertainty_to_confidence.md").is_file()


def test_what_is_wrong_is_named_and_makes_the_check_fail(
    brightrun: BrightRun, folder: Path
) -> None:
    frame = folder / "templates" / "frame.md"
    frame.write_text(frame.read_text("utf-8").replace("{{topic_description}}", ""), "utf-8")
    result = brightrun("domain", "check", str(folder))
    assert result.exit_code == ExitCode.JOB_NOT_SUCCESSFUL
    assert "missing placeholder {{topic_description}}" in result.stdout


def test_a_preview_is_the_prompt_of_the_records_that_are_named(
    brightrun: BrightRun, folder: Path
) -> None:
    shown = brightrun("domain", "preview", str(folder), "--language", "fr")
    assert "tax_help_first_topic" in shown.stdout
    assert "in French" in shown.stdout
    shipped = brightrun("domain", "preview", "nursing_handover", "--persona", "agency_nurse")
    assert "Grace Mensah" in shipped.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "{here}", "--key", "tax_help"), "Cannot write"),
        (("init", "{here}/new", "--key", "Tax Help"), "lower case words"),
        (("check", "astrology"), "nursing_handover"),
        (("preview", "nursing_handover", "--persona", "nobody"), "agency_nurse"),
        (("preview", "nursing_handover", "--language", "tlh"), "--language has to be one of"),
    ],
)
def test_wrong_usage_says_what_there_is(
    brightrun: BrightRun, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    result = brightrun("domain", *(word.format(here=tmp_path) for word in words))
    assert result.exit_code == ExitCode.USAGE
    assert said in result.stderr


def test_a_pack_with_faults_has_no_preview(brightrun: BrightRun, folder: Path) -> None:
    (folder / "personas.json").unlink()
    result = brightrun("domain", "preview", str(folder))
    assert result.exit_code == ExitCode.USAGE
    assert "personas.json" in result.stderr


@pytest.mark.usefixtures("signed_in")
def test_the_domains_of_a_system_are_listed_with_their_countries(brightrun: BrightRun) -> None:
    result = brightrun("domain", "list")
    assert "nursing_handover" in result.stdout
    assert "GB, IE" in result.stdout
