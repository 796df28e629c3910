"""Validation in several processes: the same result to the byte, and nothing lost with a process."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import pytest

from brightrun.formats.lines import BLOCK_BYTES
from brightrun.validation.result import ValidationResult
from brightrun.validation.validator import Options, validate
from tests.unit.validation.damage import damaged_file
from tests.unit.validation.records import lines, messages, pair

ROOT = Path(__file__).parents[3]
LONG = "A sentence of some length, and another. " * 40


def _sound(number: int) -> bytes:
    return lines(messages(f"Question {number}?", f"Answer {number}. {LONG}"))


def _spread(number: int) -> bytes:
    return lines(pair(f"Question {number}?", f"Answer {number}. {LONG}"))


def _repeated(number: int) -> bytes:
    return _sound(number % 300)


def _broken(number: int) -> bytes:
    return b'{"messages": [' if number % 3 else _sound(number)


FILES = {
    "sound": b"".join(map(_sound, range(1_500))),
    "one pair per line": b"".join(map(_spread, range(1_500))),
    "repetition": b"".join(map(_repeated, range(1_500))),
    "broken lines": b"".join(map(_broken, range(4_000))),
    "damaged lines": b"\n".join(damaged_file(Random(7), 6_000)),  # noqa: S311
    "lines of half a megabyte": b"".join(lines(messages(f"{n}?", LONG * 400)) for n in range(8)),
    "no newline at the end": b"".join(map(_sound, range(1_500)))[:-1],
}


def _comparable(result: ValidationResult) -> dict[str, Any]:
    plain = result.as_dict()
    for field in ("seconds", "mb_per_s"):
        del plain[field]
    return plain | {"lines of the split": result.split and result.split.validation_lines}


class Watched(BytesIO):
    """Keeps the processes that were there while it was read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.seen: set[multiprocessing.process.BaseProcess] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.seen.update(multiprocessing.active_children())
        return super().read(size)


@pytest.mark.parametrize("extra_processes", [1, 3])
@pytest.mark.parametrize("name", FILES)
def test_the_result_is_the_same_with_any_number_of_processes(
    name: str, extra_processes: int
) -> None:
    data = FILES[name]
    assert len(data) > 3 * BLOCK_BYTES
    source = Watched(data)
    found = validate(source, Options(extra_processes=extra_processes))
    assert _comparable(found) == _comparable(validate(BytesIO(data)))
    assert len(source.seen) == extra_processes
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("extra_processes", [1, 3])
def test_nothing_is_lost_with_a_process_that_is_killed(extra_processes: int) -> None:
    class Killing(Watched):
        def read(self, size: int | None = -1, /) -> bytes:
            for process in multiprocessing.active_children()[:1] if self.tell() > 1 << 20 else ():
                process.kill()
            return super().read(size)

    source = Killing(FILES["sound"] * 2)
    found = validate(source, Options(extra_processes=extra_processes))
    assert {process.exitcode for process in source.seen} == {-9}
    assert _comparable(found) == _comparable(validate(BytesIO(FILES["sound"] * 2)))


def test_extra_processes_end_with_a_source_that_fails() -> None:
    class Failing(Watched):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 1 << 20:
                raise OSError("the disk is gone")
            return super().read(size)

    source = Failing(FILES["sound"])
    with pytest.raises(OSError, match="the disk is gone"):
        validate(source, Options(extra_processes=2))
    assert len(source.seen) == 2
    assert not multiprocessing.active_children()


KILLED = """
import multiprocessing
from brightrun.validation import Options, validate
from tests.unit.validation.endless import STREAMS, Stream

class Telling(Stream):
    asked = False

    def read(self, size):
        processes = multiprocessing.active_children()
        if processes and not self.asked:
            print(*[process.pid for process in processes], flush=True)
            self.asked = True
        return super().read(size)

validate(Telling(STREAMS["sound lines"], 1 << 40), Options(extra_processes=2))
"""


def _runs(process: Path) -> bool:
    """Tell whether a process goes on; one that nobody has waited for yet does not."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_extra_processes_do_not_outlive_a_reader_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'layers/common/python'}"},
        stdout=subprocess.PIPE,
    ) as reader:
        assert reader.stdout is not None
        processes = [Path(f"/proc/{pid}") for pid in reader.stdout.readline().decode().split()]
        reader.kill()
    assert len(processes) == 2
    deadline = time.monotonic() + 30
    while any(map(_runs, processes)):
        assert time.monotonic() < deadline, "a process goes on without its reader"
        time.sleep(0.05)


def test_a_small_file_and_one_of_no_known_format_need_no_processes() -> None:
    for data in (_sound(1), b"no record at all\n" * 100_000):
        source = Watched(data)
        validate(source, Options(extra_processes=2))
        assert not source.seen


def test_no_extra_process_is_used_by_default() -> None:
    source = Watched(FILES["sound"])
    assert validate(source).format == "messages"
    assert not source.seen
