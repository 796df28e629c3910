"""``python -m local``: up, status, down, serve."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.command_line import main
from tests.local.running_system import ASSEMBLY


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )


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
