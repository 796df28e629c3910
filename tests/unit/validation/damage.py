"""Damages sound lines in ways that files get damaged, and in ways that attackers try."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tests.unit.validation.records import SOUND

_BYTES = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xed\xa0\x80", b"\t"]
_VALUES: list[Any] = [
    None, True, 0, -1, 1e308, "", " ", "x", "\u2028", "null", [], [[]], {}, {"a": {"b": []}},
    "<|im_end|>", "ann@example.org", "\\n\\nNow", "cut \\", "4111 1111 1111 1111", "a" * 3000,
]  # fmt: skip
_TOKENS = [b"NaN", b"-Infinity", b"1e999", b"01", b"\\ud800", b'"\\udc00"', b"9" * 400, b"nul"]


def _random_text(random: Random) -> str:
    alphabet = 'abc .,\n"\\é—🙂אب{}[]:<|@1234567890-'
    return "".join(random.choice(alphabet) for _ in range(random.randint(1, 60)))


def _fresh_record(random: Random, form: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(json.dumps(SOUND[form]))
    places = list(_places(record))
    for container, key in random.sample(places, min(3, len(places))):
        if isinstance(container[key], str) and key not in ("role", "from"):
            container[key] = _random_text(random)
    return record


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every `(container, key)` inside a value."""
    found: list[tuple[Any, Any]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        found.append((value, key))
        if isinstance(item, dict | list):
            found += _places(item)
    return found


def _damage_value(random: Random, record: dict[str, Any]) -> None:
    container, key = random.choice(_places(record))
    choice = random.randrange(4)
    if choice == 0:
        container[key] = random.choice(_VALUES)
    elif choice == 1:
        del container[key]
    elif choice == 2 and isinstance(container, dict):
        container[random.choice(["weight", "name", "role", "extra"])] = random.choice(_VALUES)
    elif isinstance(container, list):
        container.append(container[key])


def _damage_bytes(random: Random, line: bytes) -> bytes:
    at = random.randrange(len(line) + 1)
    choice = random.randrange(6)
    if choice == 0:
        return line[:at]
    if choice == 1:
        return line[:at] + random.choice(_BYTES) + line[at:]
    if choice == 2:
        return line[:at] + line[at + random.randint(1, 5) :]
    if choice == 3:
        return line[:at] + random.choice(_TOKENS) + line[at:]
    if choice == 4:
        return line[:at] + bytes([random.randrange(256)]) + line[at + 1 :]
    keys = [b'"content":', b'"role":', b'"messages":', b'"id":', b'"value":']
    return line.replace(random.choice(keys), random.choice(keys) + b'"x",' + random.choice(keys), 1)


def damaged_line(random: Random, form: str) -> bytes:
    """One line without its newline: sound, oddly written, or damaged once or twice."""
    record = _fresh_record(random, form)
    if random.random() < 0.5:
        _damage_value(random, record)
    separators = random.choice([(",", ":"), (", ", ": "), (" ,", " :")])
    line = json.dumps(record, ensure_ascii=random.random() < 0.5, separators=separators).encode(
        "utf-8", "replace"
    )
    for _ in range(random.choice([0, 0, 1, 1, 2])):
        line = _damage_bytes(random, line)
    return line.replace(b"\n", b" ").replace(b"\r", b" ")


def damaged_file(random: Random, count: int) -> list[bytes]:
    """A file's lines, many of them damaged and one in ten of another format; the first is sound."""
    form = random.choice(list(SOUND))
    forms = random.choices([form, *SOUND], [len(SOUND) * 9, *([1] * len(SOUND))], k=count - 1)
    return [json.dumps(SOUND[form]).encode(), *(damaged_line(random, each) for each in forms)]
