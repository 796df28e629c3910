"""Advice works: each hint that names a command is followed here, on a file that produces it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from brightrun.formats import codes
from brightrun.validation.validator import validate
from tests.cli.conftest import BrightRun
from tests.unit.validation.records import messages, said

_COMMAND = re.compile(r"brightrun (convert|import) FILE[^()]*|iconv .* > OUT.jsonl|git lfs pull")
ELSEWHERE = {"raw_conversation", "file_is_parquet", "file_is_lfs_pointer"}
"""Need a server (tests/cli/test_cli_import.py), pyarrow, and a Git server."""

TWICE: dict[str, Any] = {"messages": [*said("a"), *said("b", "c")]}
FILES: dict[str, bytes] = {
    "whole_json_document": json.dumps([messages(), messages("x", "y")], indent=2).encode(),
    "roles_do_not_alternate": json.dumps(TWICE).encode(),
    "file_is_utf16": (json.dumps(messages()) + "\n").encode("utf-16"),
    "file_is_utf16le": (json.dumps(messages()) + "\n").encode("utf-16-le"),
    "file_is_utf16be": (json.dumps(messages()) + "\n").encode("utf-16-be"),
    "file_is_utf32le": (json.dumps(messages()) + "\n").encode("utf-32-le"),
    "file_is_utf32be": (json.dumps(messages()) + "\n").encode("utf-32-be"),
    "file_is_utf32": (json.dumps(messages()) + "\n").encode("utf-32"),
}


def test_every_hint_with_a_command_is_tried() -> None:
    named = {name for name, row in codes().items() if _COMMAND.search(row.hint)}
    assert named == {*FILES, *ELSEWHERE}


@pytest.mark.parametrize("code", FILES)
def test_the_command_that_a_hint_names_mends_the_file(
    code: str, brightrun: BrightRun, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.json", tmp_path / "out.jsonl"
    source.write_bytes(FILES[code])
    assert code in {row.code for row in validate(BytesIO(FILES[code])).summary}
    found = _COMMAND.search(codes()[code].hint)
    assert found is not None
    words = found[0].replace("FILE", str(source)).split()
    if words[0] == "brightrun":
        words[words.index("-o") + 1] = str(target)
        assert brightrun(*words[1:]).exit_code == 0
    else:
        iconv = shutil.which("iconv")
        if iconv is None:
            pytest.skip("iconv is not installed")
        ran = subprocess.run([iconv, *words[1:-2]], capture_output=True, check=True)  # noqa: S603
        target.write_bytes(ran.stdout)
    assert validate(BytesIO(target.read_bytes())).status == "ready"


def test_a_file_that_is_there_is_written_over_only_on_demand(
    brightrun: BrightRun, tmp_path: Path
) -> None:
    source, target = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl"
    source.write_bytes(gzip.compress(json.dumps(messages()).encode()))
    target.write_text("precious")
    refused = brightrun("convert", str(source), "--to", "sharegpt", "-o", str(target))
    assert (refused.exit_code, target.read_text()) == (2, "precious")
    assert "--force" in refused.stderr
    done = brightrun("convert", str(source), "--to", "sharegpt", "-o", str(target), "--force")
    assert done.exit_code == 0
    assert json.loads(target.read_text())["conversations"]


def test_what_the_target_cannot_hold_is_counted_by_name(
    brightrun: BrightRun, tmp_path: Path
) -> None:
    turns = [{**turn, "name": "x"} for turn in said("a", "b", "c")]
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"messages": turns, "id": "c1", "score": 3}))
    result = brightrun("convert", str(source), "--to", "alpaca", "-o", "out.jsonl", "--json")
    done = json.loads(result.stdout)
    assert done["lost_fields"] == {"messages[].name": 1, "score": 1}
    assert done["turns_left_out"] == 1
    told = brightrun("convert", str(source), "--to", "alpaca", "-o", "out.jsonl", "--force").stdout
    assert "The field score of 1 records has no place in alpaca" in told
    assert "1 turns after the last trained answer are left out." in told
