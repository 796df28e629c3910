"""``python -m local``: up, status, down, serve."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from local.command_line import main
from local.settings import DataFolder
from tests.local.running_system import ASSEMBLY

MODEL = "claude-sonnet-5-5"


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], **variables},
    )


def _with_claude(folder: Path) -> Path:
    """The test assembly with a stack that asks Claude."""
    assembly = folder / "assembly"
    shutil.copytree(ASSEMBLY, assembly)
    file = assembly / "FixtureWorkflows.template.json"
    template = json.loads(file.read_text())
    parameters = {"ClaudeProvider": "direct", "ClaudeBaseUrl": "", "ClaudeModel": MODEL}
    template["Parameters"] = template.get("Parameters", {}) | {
        name: {"Type": "String", "Default": value} for name, value in parameters.items()
    }
    file.write_text(json.dumps(template))
    return assembly


def _document(completed: subprocess.CompletedProcess[str]) -> Any:
    assert completed.returncode in (0, 1), completed.stderr
    return json.loads(completed.stdout)


@pytest.mark.slow
def test_system_goes_up_says_what_runs_and_goes_down(tmp_path: Path) -> None:
    folder = f"--data-dir={tmp_path / 'data'}"
    up = _run("up", "--json", "--port=0", folder, f"--template-dir={ASSEMBLY}")
    try:
        assert up.returncode == 0, up.stderr
        status = _run("status", "--json", folder)
        again = _run("up", "--json", "--port=0", folder, f"--template-dir={ASSEMBLY}")
        assert _document(up) == _document(status) == _document(again)
        plain = _run("status", folder).stdout
        assert f"aws endpoint url     {_document(up)['aws_endpoint_url']}" in plain
    finally:
        down = _run("down", "--json", folder)
    assert _document(down) == {"state": "stopped"}
    assert _document(_run("status", "--json", folder)) == {"state": "not running"}


@pytest.mark.slow
def test_outputs_file_has_the_shape_of_cdk_and_a_local_section(tmp_path: Path) -> None:
    folder = f"--data-dir={tmp_path}"
    url = _document(_run("up", "--json", "--port=0", folder, f"--template-dir={ASSEMBLY}"))[
        "api_url"
    ]
    _run("down", folder)
    outputs = json.loads((tmp_path / "outputs.json").read_text())
    assert outputs["FixtureApi"]["ApiUrl"] == url
    assert outputs["FixtureApi"]["Region"] == "us-east-1"
    assert outputs["Local"] == {
        "endpoint_url": url,
        "username": "demo@brightrun.local",
        "password_file": str(tmp_path / "password"),
        "generator": "none",
        "data_dir": str(tmp_path),
    }


@pytest.mark.slow
def test_taken_port_is_named_with_the_way_to_choose_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = _run("up", f"--port={port}", f"--data-dir={tmp_path}", f"--template-dir={ASSEMBLY}")
    assert up.returncode == 1
    assert f"Port {port} on 127.0.0.1 is taken" in up.stderr
    assert "--port or BRIGHTRUN_PORT" in up.stderr


@pytest.mark.slow
def test_missing_templates_are_named_with_the_way_to_make_them(tmp_path: Path) -> None:
    up = _run("up", "--port=0", f"--data-dir={tmp_path}", f"--template-dir={tmp_path}/none")
    assert up.returncode == 1
    assert "make synth" in up.stderr


@pytest.mark.slow
def test_serving_in_the_foreground_ends_with_an_interrupt(tmp_path: Path) -> None:
    arguments = ["--port=0", f"--data-dir={tmp_path}", f"--template-dir={ASSEMBLY}", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "local", "serve", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
    ) as engine:
        assert engine.stdout is not None
        assert json.loads(engine.stdout.readline())["state"] == "ready"
        engine.send_signal(signal.SIGINT)
        assert engine.wait(20) == 0


@pytest.mark.slow
def test_claude_that_cannot_be_reached_is_one_line_in_time(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        began = time.monotonic()
        up = _run(
            "up",
            "--port=0",
            f"--data-dir={tmp_path}",
            f"--template-dir={_with_claude(tmp_path)}",
            ANTHROPIC_API_KEY="sk-key",
            BRIGHTRUN_CLAUDE_BASE_URL=f"http://{address}",
        )
    assert time.monotonic() - began < 10
    assert up.returncode == 1
    [line] = up.stderr.splitlines()
    assert line.startswith(f"Claude at {address} cannot be used: nothing listens there")


def test_data_folder_that_is_a_file_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    arguments = [f"--data-dir={tmp_path / 'file'}", f"--template-dir={ASSEMBLY}", "--port=0"]
    assert main(["up", *arguments]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert f"The data folder {tmp_path / 'file'} cannot be used" in line
    assert "--data-dir or BRIGHTRUN_DATA_DIR" in line


def test_key_with_a_line_break_is_one_line_that_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret\n")
    assert main(["status"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "ANTHROPIC_API_KEY holds" in line
    assert "sk-secret" not in line


def test_reader_that_has_had_enough_is_no_error(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    folder.create()
    folder.engine_log.write_text("a line\n" * 100_000)
    with subprocess.Popen(
        [sys.executable, "-m", "local", "logs", f"--data-dir={tmp_path}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as logs:
        assert logs.stdout is not None
        assert logs.stderr is not None
        logs.stdout.readline()
        logs.stdout.close()
        assert logs.stderr.read() == b""


def test_status_of_nothing_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", f"--data-dir={tmp_path}"]) == 1
    assert "not running" in capsys.readouterr().out


def test_port_that_is_none_is_one_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["status", "--port=70000"]) == 1
    assert "0 to 65534" in capsys.readouterr().err
