"""A signed-in command line in front of a fake system."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import build_app
from tests.cli.fake_cognito import PASSWORD
from tests.cli.fake_routes import add_routes, outputs_document
from tests.cli.fake_system import FakeSystem

REPOSITORY = Path(__file__).parents[2]
BrightRun = Callable[..., Result]


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BRIGHTRUN_PROFILE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BRIGHTRUN_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("BRIGHTRUN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # for commands run as processes
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def system() -> Iterator[FakeSystem]:
    with FakeSystem() as running:
        add_routes(running)
        yield running


@pytest.fixture
def brightrun() -> BrightRun:
    def run(*arguments: str, typed: str | None = None) -> Result:
        # Defects of the command shall show as tracebacks, not as exit code 1.
        return CliRunner().invoke(build_app(), arguments, input=typed, catch_exceptions=False)

    return run


@pytest.fixture
def local_outputs(system: FakeSystem, tmp_path: Path) -> Path:
    """The file the local engine writes, with its password beside it."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "password").write_text(f"{PASSWORD}\n")
    outputs = folder / "outputs.json"
    outputs.write_text(json.dumps(outputs_document(system)))
    return outputs


@pytest.fixture
def signed_in(brightrun: BrightRun, local_outputs: Path) -> None:
    result = brightrun("login", "--local")
    assert result.exit_code == 0, result.output


@pytest.fixture
def configured(brightrun: BrightRun, system: FakeSystem, tmp_path: Path) -> None:
    """A profile as a deployed system's outputs make it, with Cognito on the fake."""
    document = outputs_document(system)
    document["Local"] = {"endpoint_url": system.url}
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(document))
    assert brightrun("configure", "--outputs", str(outputs)).exit_code == 0
