"""Measures the build of a training file: time and memory by the number of conversations.

    python -m benchmarks.bench_training_files            # 1,000, 5,000 and 50,000 conversations
    python -m benchmarks.bench_training_files --counts 500

Each build runs in a process of its own and writes to a folder in the place of S3, so that the
time is the function's own work: checking, comparing, rendering and hashing, without the network.
Every step is a new composition that goes on from the checkpoint, as an invocation does. A
conversation has 8 turns of its own, and 55 KB of training.json. Memory is the peak of the process.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bench_validate import cpu_seconds, peak_mb
from brightrun.aws.objects import StoredText
from brightrun.conversations.model import ConversationRecord
from brightrun.training_files.assemble_version import VersionAssembler
from brightrun.training_files.build_version import BuildStep, VersionBuilder
from brightrun.training_files.model import Build, TrainingFile
from brightrun.training_files.repository import BLOCK_BYTES
from brightrun.training_files.selection import (
    ConversationSelection,
    ConversationSelector,
    dump_selection,
)
from tests.builders import OWNER
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.training_files import (
    InMemoryTrainingFileObjects,
    InMemoryTrainingFiles,
    an_enriched_record,
    an_enriched_text,
)

COUNTS = (1000, 5000, 50_000)
MARK = "00000000-mark-4000-8000-000000000000"
WORDS = " ".join(f"word{number}" for number in range(110))


class FolderObjects(InMemoryTrainingFileObjects):
    """Objects as files below a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def put(self, key: str, body: str, **_: Any) -> int:
        """Write a file, and return its size."""
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.write_bytes(body.encode())

    def get(self, key: str) -> StoredText | None:
        """Read a file, if it is there."""
        path = self._folder / key
        return StoredText(path.read_text(encoding="utf-8")) if path.exists() else None

    def remove_all(self, prefix: str) -> None:
        """Delete the folder of that name."""
        shutil.rmtree(self._folder / prefix, ignore_errors=True)

    def begin_parts(self, key: str, content_type: str) -> str:  # noqa: ARG002
        """Make a folder for the parts."""
        upload_id = key.replace("/", "+")
        (self._folder / upload_id).mkdir()
        return upload_id

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> str:  # noqa: ARG002
        """Write a part as a file."""
        (self._folder / upload_id / f"{number:05}").write_bytes(data)
        return str(number)

    def complete_parts(self, key: str, upload_id: str, etags: Sequence[str]) -> None:  # noqa: ARG002
        """Copy the parts together, one at a time."""
        with (self._folder / key).open("wb") as whole:
            for part in sorted((self._folder / upload_id).iterdir()):
                whole.write(part.read_bytes())
                part.unlink()

    def blocks(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Read a file in blocks."""
        path = self._folder / key
        if path.exists():
            with path.open("rb") as file:
                file.seek(start)
                while block := file.read(BLOCK_BYTES):
                    yield block


class EnrichedTexts(InMemoryObjects):
    """The enriched file of every conversation, by its id in the key."""

    def __init__(self) -> None:
        super().__init__()
        turns = [f"Turn {number} of {MARK}: {WORDS}." for number in range(1, 9)]
        self._text = an_enriched_text(MARK, *turns)

    def get(self, key: str) -> StoredText | None:
        """Render the pattern for the conversation of a key."""
        return StoredText(self._text.replace(MARK, key.split("/")[1]))


def build_here(count: int, folder: Path) -> dict[str, Any]:
    """Build a file of so many conversations in this process."""
    ids = [f"{number:08}-0000-4000-8000-000000000000" for number in range(count)]
    pattern = an_enriched_record(MARK)

    def conversation(_owner: str, conversation_id: str) -> ConversationRecord:
        path = f"{OWNER}/{conversation_id}/enriched.json"
        return dataclasses.replace(
            pattern, conversation_id=conversation_id, enriched_file_path=path
        )

    now = datetime.now(UTC)
    selector = ConversationSelector(conversation, EnrichedTexts(), lambda *_: [])
    files, assembler = InMemoryTrainingFiles(), VersionAssembler(selector, FolderObjects(folder))
    stamp = "2026-11-21T12:00:00.000Z"
    build = Build("attempt", 1, "building", count, stamp, stamp)
    file = TrainingFile(
        OWNER, "file", "Benchmark", "", stamp, stamp, OWNER, [], {}, version=0, build=build
    )
    files.add(file)
    assembler.put_selection(file, build, dump_selection(ConversationSelection(), ids))
    step = BuildStep(owner_id=OWNER, file_id="file", attempt="attempt")
    begun, processor, longest, steps = time.monotonic(), cpu_seconds(), 0.0, 0
    while True:
        at = time.monotonic()
        end = VersionBuilder(files, assembler, lambda: now).step(step)
        longest, steps = max(longest, time.monotonic() - at), steps + 1
        if end.status != "building":
            break
    newest = files.training_file(OWNER, "file").newest
    return {
        "conversations": newest.conversation_count,
        "steps": steps,
        "seconds": round(time.monotonic() - begun, 1),
        "cpu_seconds": round(cpu_seconds() - processor, 1),
        "longest_step_s": round(longest, 1),
        "peak_mb": round(peak_mb()),
        "json_mb": round(newest.json_file_size / 1e6),
        "jsonl_mb": round(newest.jsonl_file_size / 1e6),
    }


def main() -> None:
    """Build a file of each number of conversations, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--here", type=Path, help="Build in this process, into this folder.")
    given = parser.parse_args()
    if given.here:
        print(json.dumps(build_here(given.counts[0], given.here)))
        return
    measured = []
    for count in given.counts:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "benchmarks.bench_training_files"]
            done = subprocess.run(
                [*command, "--counts", str(count), "--here", folder],
                check=True,
                capture_output=True,
                text=True,
            )
        measured.append(json.loads(done.stdout))
        one = measured[-1]
        print(
            f"{count:6,} conversations: {one['seconds']} s, {one['cpu_seconds']} s of processor, "
            f"{1000 * one['cpu_seconds'] / count:.1f} s per 1,000, longest step "
            f"{one['longest_step_s']} s, {one['peak_mb']} MB at most, "
            f"{one['json_mb']} + {one['jsonl_mb']} MB written",
            flush=True,
        )
    print(json.dumps({"training_files": measured}))


if __name__ == "__main__":
    main()
