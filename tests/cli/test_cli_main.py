"""The command as a whole: help, start-up, arguments that do not parse, the progress bar."""

import json
import resource
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console

from cli.batch_watching import BatchStatus, progress_display
from cli.errors import ExitCode
from cli.main import EXIT_CODES, build_app
from cli.render import PIPED_WIDTH, make_console
from cli.text import duration, money, number
from tests.cli.conftest import BrightRun
from tests.cli.fake_routes import CONVERSATION, DONE, RUNNING

README = Path(__file__).parents[2] / "cli" / "README.md"


def command_names() -> list[str]:
    names = []
    for name, command in typer.main.get_command(build_app()).commands.items():  # type: ignore[attr-defined]
        below = getattr(command, "commands", None)
        names += [f"{name} {inner}" for inner in below] if below else [name]
    return names


def test_help_tells_the_exit_codes(brightrun: BrightRun) -> None:
    result = brightrun("--help")

    assert result.exit_code == 0
    assert "Exit codes" in result.stdout
    for code in ExitCode:
        assert f"{code.value} " in EXIT_CODES


def test_readme_names_every_command_and_exit_code() -> None:
    text = README.read_text(encoding="utf-8")

    assert len(command_names()) == 110
    assert [name for name in command_names() if f"brightrun {name}" not in text] == []
    assert [code.value for code in ExitCode if f"| {code.value} |" not in text] == []


@pytest.mark.parametrize("name", command_names())
def test_every_command_speaks_json_and_takes_a_profile(brightrun: BrightRun, name: str) -> None:
    result = brightrun(*name.split(), "--help")

    assert result.exit_code == 0
    assert "--json" in result.stdout
    assert "--profile" in result.stdout


def test_start_is_fast() -> None:
    whole = "import sys; from cli.main import main; sys.argv = ['brightrun', '--help']; main()"
    least = (
        "import sys, typer; app = typer.Typer(); app.command()(lambda: None); "
        "sys.argv = ['least', '--help']; app()"
    )

    def cpu_seconds(program: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Beside the least that typer takes, since machines differ, and the best of three, since other
    # work disturbs: 1.6 to 2.3 times as much.
    rounds = [(cpu_seconds(whole), cpu_seconds(least)) for _ in range(3)]
    assert min(ours for ours, _ in rounds) < 3 * min(typers for _, typers in rounds)


def test_start_imports_neither_boto3_nor_the_runtime_package() -> None:
    program = (
        "import sys, cli.main; cli.main.build_app(); "
        "print([n for n in ('boto3', 'httpx2', 'pydantic', 'brightrun') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)

    assert done.stdout == b"[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("batch", "watch", "--json"),
        ("batch", "nonsense", "--json"),
        ("batch", "list", "--no", "--json"),
    ],
)
def test_arguments_that_do_not_parse_are_told_as_json(
    brightrun: BrightRun, arguments: tuple[str, ...]
) -> None:
    result = brightrun(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert json.loads(result.stderr)["code"] == "usage"


def test_arguments_that_do_not_parse_are_told_in_words(brightrun: BrightRun) -> None:
    result = brightrun("batch", "wach")

    assert result.exit_code == 2
    assert "Did you mean 'watch'" in result.stderr


def test_question_without_an_answer_is_an_interruption(
    signed_in: None, brightrun: BrightRun
) -> None:
    choice = ("--name", "N", "--persona", "all", "--arc", "all", "--topic", "all")

    assert brightrun("batch", "create", *choice, typed="").exit_code == 130


def test_terminal_gets_a_bar() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=120)

    with progress_display(console) as show:
        show(BatchStatus.read(RUNNING))
        show(BatchStatus.read(DONE))

    assert "25%" in out.getvalue()
    assert "100%" in out.getvalue()
    assert "Completed: 4 of 4 succeeded. $0.15 (simulated)" in out.getvalue()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "-"), (0, "0 s"), (45, "45 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_read_naturally(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (12.3, "$12.30"),
        (1234, "$1,234.00"),
        (0.0382, "$0.04"),
        (0.0099, "under $0.01"),
        (0, "$0.00"),
        (None, "-"),
    ],
)
def test_money_is_rounded_to_cents(amount: float | None, text: str) -> None:
    assert money(amount) == text


def test_counts_have_separators() -> None:
    assert (number(1234), number(0), number(None)) == ("1,234", "0", "-")


def test_piped_table_keeps_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS")

    assert make_console().width == PIPED_WIDTH


@pytest.mark.parametrize(("width", "lines"), [(200, 1), (80, 3)])
def test_narrow_terminal_stacks_what_belongs_together(
    signed_in: None, brightrun: BrightRun, monkeypatch: pytest.MonkeyPatch, width: int, lines: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    output = brightrun("conversations", "list").stdout.splitlines()
    holding = [i for i, line in enumerate(output) if "anxious_planner" in line or "estate_" in line]

    assert any(CONVERSATION in line for line in output)
    assert holding[-1] - holding[0] + 1 == lines
