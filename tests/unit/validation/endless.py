"""Streams of any length that are made while they are read, and the process's peak memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from tests.unit.validation.records import lines, messages

_START = lines(messages())


def _no_newline() -> Iterator[bytes]:
    yield b'{"messages":'
    while True:
        yield b" " * (1 << 16)


def _sound() -> Iterator[bytes]:
    for number in count():
        yield lines(messages(f"Question {number}?", f"Answer {number}. " + "Words, words. " * 300))


def _bad() -> Iterator[bytes]:
    yield _START
    for number in count():
        turns = [{"role": "bot", "content": "", f"extra{number}": 1}, {"content": number}] * 6
        yield json.dumps({"messages": turns, f"field{number}": 1}).encode() + b"\n"


def _empty_arrays() -> Iterator[bytes]:
    yield _START
    while True:
        yield b'{"messages":[' + b"[]," * 190_000 + b"[]]}\n"


def _emoji() -> Iterator[bytes]:
    yield _START
    for number in count():
        yield lines(messages(f"{number}", "x" * 2_000_000 + "🙂"))


def _deep() -> Iterator[bytes]:
    yield _START
    while True:
        yield b'{"messages":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}\n"


def _tiny() -> Iterator[bytes]:
    for number in count():
        yield lines(
            messages(f"{number}", f"{number} {number} is the answer to a question of its own.")
        )


def _recurring(start: bytes, unit: bytes) -> Callable[[], Iterator[bytes]]:
    def stream() -> Iterator[bytes]:
        yield start
        while True:
            yield unit * 1000

    return stream


STREAMS: dict[str, Callable[[], Iterator[bytes]]] = {
    "no newline at all": _no_newline,
    "sound lines": _sound,
    "one bad line after another": _bad,
    "empty arrays": _empty_arrays,
    "two-megabyte emoji": _emoji,
    "deep nesting": _deep,
    "tiny records": _tiny,
    "an array of nothing": _recurring(b"[", b"{},"),
    "an array of deep items": _recurring(b"[", b"[" * 15 + b"]" * 15 + b","),
    "nothing on two lines": _recurring(b"", b"{\n}\n"),
    "a table of short rows": _recurring(b"prompt,completion\n", b"1,2\n"),
}


class Stream:
    """Reads at least `size` bytes of a made-up file, ending with a whole chunk."""

    def __init__(self, chunks: Callable[[], Iterator[bytes]], size: int) -> None:
        self._pieces = chunks()
        self._left = size
        self._held = b""

    def read(self, size: int, /) -> bytes:
        while len(self._held) < size and self._left > 0:
            chunk = next(self._pieces)
            self._held += chunk
            self._left -= len(chunk)
        block, self._held = self._held[:size], self._held[size:]
        return block


def peak_mb() -> float:
    """The most memory that this process has held, in MB (Linux: VmHWM)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6
