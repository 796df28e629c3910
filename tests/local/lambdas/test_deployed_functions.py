"""Deployed functions see their template's environment and no credentials of the developer's."""

from pathlib import Path
from typing import Any

import pytest

from local.deploy.assets import pack
from local.lambdas.code_cache import CodeCache
from local.lambdas.deployed import DeployedFunctions
from local.lifeline import Lifeline

pytestmark = pytest.mark.slow

HANDLER = "import os, sys\ndef handle(event, context): return [dict(os.environ), sys.path]\n"


def _archive(folder: Path, name: str, text: str) -> bytes:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return pack([file], folder)


def _config(**changes: Any) -> dict[str, Any]:
    return {
        "FunctionName": "Stack-Tested-1234",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:Stack-Tested-1234",
        "Handler": "module.handle",
        "CodeSha256": "1",
        "Timeout": 30,
        "Environment": {"Variables": {"POWERTOOLS_SERVICE_NAME": "tested", "TABLE": "t"}},
        **changes,
    }


def test_environment_is_the_templates_with_the_emulators_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-real")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    lifeline = Lifeline()
    functions = DeployedFunctions(CodeCache(tmp_path / "code"), tmp_path, 8610, lifeline.descriptor)
    code = _archive(tmp_path / "source", "module.py", HANDLER)
    layer = _archive(tmp_path / "layer", "python/shared.py", "")
    environment, path = functions.execute(_config(), code, [layer], {}).payload
    assert environment["TABLE"] == "t"
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:8610"
    assert environment["AWS_SECRET_ACCESS_KEY"] == "local"
    assert environment["https_proxy"] == "http://proxy.example"
    assert "ANTHROPIC_API_KEY" not in environment
    assert path[0] == environment["LAMBDA_TASK_ROOT"]
    assert (Path(path[1]) / "shared.py").exists()
    assert (tmp_path / "tested.log").exists()
    functions.close()
    lifeline.cut()


def test_changed_function_runs_its_new_code(tmp_path: Path) -> None:
    lifeline = Lifeline()
    functions = DeployedFunctions(CodeCache(tmp_path / "code"), tmp_path, 8610, lifeline.descriptor)
    results = []
    for version in ("1", "2"):
        text = f"def handle(event, context): return {version}\n"
        code = _archive(tmp_path / "source", "module.py", text)
        config = _config(CodeSha256=version)
        results.append(functions.execute(config, code, [], {}).payload)
    assert results == [1, 2]
    functions.close()
    lifeline.cut()
