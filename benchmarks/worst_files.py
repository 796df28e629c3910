"""Measures the validator on files made to be slow, beside rows as they usually are.

    python -m benchmarks.worst_files              # every kind, 8 MiB of each
    python -m benchmarks.worst_files --mib 32 --kind "array of {}"

Each kind is validated in a process of its own, by one process, as the Lambda does.  Speed is by
processor time, and memory is the peak above what the process held after a short file.  `500 MiB`
is how long the largest dataset of this kind would take; the Lambda has 900 seconds.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import count, repeat
from pathlib import Path

from benchmarks.bench_validate import peak_mb
from benchmarks.datagen import MIB, lines

ROOT = Path(__file__).parents[1]
LARGEST = 500 * MIB
NORMAL = "normal rows"
Pieces = Iterator[bytes]


def _again(start: bytes, unit: bytes) -> Callable[[], Pieces]:
    def pieces() -> Pieces:
        yield start
        yield from repeat(unit * (4096 // len(unit) + 1))

    return pieces


def _numbered(start: bytes, unit: bytes) -> Callable[[], Pieces]:
    """A unit with a number in it that is another one each time."""

    def pieces() -> Pieces:
        yield start
        for number in count():
            yield unit % ((number,) * unit.count(b"%"))

    return pieces


def _normal_array() -> Pieces:
    yield b"["
    for line in lines("v4-jsonl"):
        yield line.rstrip() + b",\n"


KINDS: dict[str, Callable[[], Pieces]] = {
    NORMAL: lambda: lines("v4-jsonl"),
    "normal rows in an array": _normal_array,
    "array of {}": _again(b"[", b"{},"),
    "array of {} and 1": _again(b"[", b"{},1,"),
    "array of {} and a word": _again(b"[", b"{},x,"),
    "array of numbers": _numbered(b"[", b"%d,"),
    "array of objects": _numbered(b"[", b'{"a":%d},'),
    "array of commas": _again(b"[", b","),
    "array of deep arrays": _again(b"[", b"[" * 20 + b"]" * 20 + b","),
    "array of long arrays": _again(b"[", b"[" + b"[]," * 100_000 + b"[]],"),
    "wrapped {}": _again(b'{"data":[', b"{},"),
    "objects on two lines": _again(b"", b"{\n}\n"),
    "different objects on two lines": _numbered(b"", b'{"a":\n%d}\n'),
    "closing brackets": _again(b"{\n}\n", b"}"),
    "table of short rows": _again(b"prompt,completion\n", b"1,2\n"),
    "table of different rows": _numbered(b"prompt,completion\n", b"%d,%d\n"),
    "table of refused rows": _again(b"name,size\n", b"1,2\n"),
    "table of different refused rows": _numbered(b"name,size\n", b"%d,%d\n"),
    "table of quoted rows": _again(b"prompt,completion\n", b'"1",2\n'),
    "lines of {}": _again(b"", b"{}\n"),
    "lines of numbers": _numbered(b"", b"%d\n"),
    "lines of words": _numbered(b"", b"{%d\n"),
    "lines of objects": _numbered(b"", b'{"a":%d}\n'),
    "lines of short rows": _numbered(b"", b'{"prompt":"%d","completion":"%d"}\n'),
    "lines that lack a field": _numbered(b"", b'{"prompt":"%d"}\n'),
}


def file_of(kind: str, size: int) -> bytes:
    """The beginning of an endless file, whole pieces only."""
    parts, made = [], 0
    for piece in KINDS[kind]():
        parts.append(piece)
        made += len(piece)
        if made >= size:
            return b"".join(parts)
    raise AssertionError("the pieces never end")


def measure(kind: str, size: int) -> tuple[float, float]:
    """Validate in this process; returns MB per second of processor time, and MB added."""
    from brightrun.validation import validate

    data = file_of(kind, size)
    validate(BytesIO(data[:MIB]))
    before, start = peak_mb(), time.process_time()
    validate(BytesIO(data))
    seconds = time.process_time() - start
    return len(data) / 1e6 / seconds, peak_mb() - before


def measure_apart(kind: str, mib: int) -> tuple[float, float]:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worst_files", "--mib", str(mib), "--here", kind],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/common/python'}"},
        capture_output=True,
        text=True,
        check=True,
    )
    speed, memory = map(float, done.stdout.split())
    return speed, memory


def main() -> None:
    """Print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=8)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--here", choices=KINDS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.here:
        print(*measure(chosen.here, chosen.mib * MIB))
        return
    normal, _ = measure_apart(NORMAL, chosen.mib)
    print(f"{'':32} {'MB/s':>8} {'x normal':>9} {'MB added':>9} {'500 MiB':>9}")
    for kind in chosen.kind or KINDS:
        speed, memory = measure_apart(kind, chosen.mib) if kind != NORMAL else (normal, _)
        print(f"{kind:32} {speed:8.2f} {normal / speed:9.1f} {memory:9.1f}", end="")
        print(f" {LARGEST / 1e6 / speed:7.0f} s", flush=True)


if __name__ == "__main__":
    main()
