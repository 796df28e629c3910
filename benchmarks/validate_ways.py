"""The ways through a training file that the benchmark of the validator compares."""

import hashlib
import json
import multiprocessing
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

MIB = 1 << 20
ROLES = {"system", "user", "assistant"}
SUSPICIOUS = re.compile(
    r"[\w.+-]+@[\w-]+\.\w+|\d{3}-\d{2}-\d{4}|\d{3}[ .-]\d{3}[ .-]\d{4}|(?:\d[ -]?){13,16}"
    r"|AKIA[0-9A-Z]{16}|sk-\w{20}|ghp_\w{36}|<\|\w+\|>|\[/?INST\]|\\\\n"
)


class ProcessesWatched:
    """A file that looks now and then, while it is read, at what the extra processes hold."""

    peak_mb = 0.0

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._reads = 0

    def read(self, size: int, /) -> bytes:
        """Read on, and look at every hundredth time."""
        self._reads += 1
        if self._reads % 100 == 2:
            held = sum(_own_mb(child.pid) for child in multiprocessing.active_children())
            ProcessesWatched.peak_mb = max(self.peak_mb, held)
        return self._stream.read(size)


def _own_mb(process: int | None) -> float:
    """What a process shares with no other, in MB."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(row.split()[1]) for row in rollup if row.startswith("Private")) * 1024 / 1e6


def ours(path: Path, extra_processes: int = 0) -> dict[str, Any]:
    """Our validator with all its checks."""
    from brightrun.validation.validator import Options, validate

    with path.open("rb", buffering=0) as stream:
        result = validate(ProcessesWatched(stream), Options(extra_processes=extra_processes))
    return {
        "status": result.status,
        "trainable_pairs": result.trainable_pairs,
        "errors": result.error_count,
        "warnings": {row.code: row.count for row in result.summary},
        "forgotten": result.forgotten,
    }


def ours_with_an_extra_process(path: Path) -> dict[str, Any]:
    """The same in two processes, as `brightrun validate` does it where there are two processors."""
    return ours(path, extra_processes=1)


def _texts_of(record: dict[str, Any]) -> list[str]:
    """Check one record as one would by hand; raises ValueError at the first problem."""
    if "target_response" in record:
        turns = [*record["conversation_history"]]
        turns.append({"role": "user", "content": record["current_user_input"]})
        turns.append({"role": "assistant", "content": record["target_response"]})
    else:
        turns = record["messages"]
    if not isinstance(turns, list) or not turns:
        raise ValueError("no turns")
    previous = None
    for turn in turns:
        role, content = turn["role"], turn["content"]
        if role not in ROLES or role == previous:
            raise ValueError("role")
        if not isinstance(content, str) or not content.strip():
            raise ValueError("content")
        previous = role
    if previous != "assistant":
        raise ValueError("ends without an answer")
    return [turn["content"] for turn in turns]


def straightforward(path: Path) -> dict[str, Any]:
    """json, dictionary checks, sha256 of the file and of each record, a set of those seen."""
    digest, seen = hashlib.sha256(), set()
    counts = {"lines": 0, "bad": 0, "duplicates": 0, "tokens": 0}
    with path.open("rb") as stream:
        for line in stream:
            digest.update(line)
            counts["lines"] += 1
            try:
                texts = _texts_of(json.loads(line))
            except (ValueError, KeyError, TypeError):
                counts["bad"] += 1
                continue
            counts["tokens"] += sum(len(text) for text in texts) // 4
            key = hashlib.sha256(json.dumps(texts).encode()).digest()
            counts["duplicates"] += key in seen
            seen.add(key)
    return counts


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def straightforward_with_text_checks(path: Path) -> dict[str, Any]:
    """The same, with what our validator looks for as well: repeated keys, near duplicates, text."""
    digest, seen, answers = hashlib.sha256(), set(), set()
    counts = {"lines": 0, "bad": 0, "duplicates": 0, "near": 0, "suspicious": 0}
    with path.open("rb") as stream:
        for line in stream:
            digest.update(line)
            counts["lines"] += 1
            try:
                texts = _texts_of(json.loads(line, object_pairs_hook=_unique))
            except (ValueError, KeyError, TypeError):
                counts["bad"] += 1
                continue
            keys = [hashlib.sha256(text.encode()).digest() for text in texts]
            whole = b"".join(keys)
            counts["duplicates"] += whole in seen
            seen.add(whole)
            counts["near"] += 2 * sum(key in answers for key in keys[2::2]) >= len(keys[2::2])
            answers.update(keys[2::2])
            counts["suspicious"] += any(SUSPICIOUS.search(text) for text in texts)
    return counts


def plain_sha256(path: Path) -> dict[str, Any]:
    """The digest alone, a mebibyte at a time: what any check of a file's identity costs."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(MIB):
            digest.update(block)
    return {"sha256": digest.hexdigest()[:16]}


def hugging_face(path: Path) -> dict[str, Any]:
    """`datasets` streaming: iterate over the rows."""
    from datasets import load_dataset

    rows = load_dataset("json", data_files=str(path), split="train", streaming=True)
    return {"lines": sum(1 for _ in rows)}


def polars_scan(path: Path) -> dict[str, Any]:
    """`polars.scan_ndjson` with its streaming engine: parse and count the rows."""
    import polars

    frame = polars.scan_ndjson(path)
    first = polars.col(frame.collect_schema().names()[0])
    return {"lines": frame.select(first.count()).collect(engine="streaming").item()}


WAYS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "ours": ours_with_an_extra_process,
    "ours, one process": ours,
    "straightforward": straightforward,
    "straightforward + text": straightforward_with_text_checks,
    "datasets": hugging_face,
    "polars": polars_scan,
    "sha256": plain_sha256,
}
IN_BENCH_VENV = {"datasets", "polars"}
SLOW_WAYS = {"straightforward + text"}  # some 5 MB/s whatever the size: measured on 20 MiB
SLOW_WAY_MIB = 20
