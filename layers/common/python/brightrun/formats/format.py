"""THE registry of dataset formats: one entry per format, and how a record's format is found.

Detection, conversion, validation, the trainer's reading of rows and the choices of the command line
and the API go by these entries.  A new format is one module with an entry and its line here.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from brightrun.formats.alpaca import ALPACA, PROMPT_COMPLETION
from brightrun.formats.chat import CONVERSATIONS, MESSAGES, SHAREGPT
from brightrun.formats.model import Format
from brightrun.formats.preference import PREFERENCE
from brightrun.formats.v4_files import ENRICHED, V4_JSON, V4_JSONL

FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        V4_JSON,
        ENRICHED,
        V4_JSONL,
        MESSAGES,
        CONVERSATIONS,
        SHAREGPT,
        ALPACA,
        PREFERENCE,
        PROMPT_COMPLETION,
    )
}
META = "_meta"
"""The key of a line that is about the file and is no record; the first line of v4 JSONL."""


def register(entry: Format) -> None:
    """Add a format; raises ValueError if its name or one of its keys is taken."""
    taken = {key for known in FORMATS.values() for key in known.keys}
    if entry.name in FORMATS or not taken.isdisjoint(entry.keys):
        raise ValueError(f"There is a format by the name or the keys of {entry.name!r} already.")
    FORMATS[entry.name] = entry


def writable() -> list[str]:
    """The names of the formats that can be written."""
    return [entry.name for entry in FORMATS.values() if entry.write]


def line_formats() -> list[Format]:
    """The formats of one record per line."""
    return [entry for entry in FORMATS.values() if not entry.is_whole_file]


def api_names() -> list[str]:
    """What the API of datasets accepts as a format, each name once."""
    return list(dict.fromkeys(name for entry in FORMATS.values() for name in entry.api_names))


def api_name(name: str) -> str:
    """What the API calls a format; the name itself where it has no other."""
    entry = FORMATS.get(name)
    return entry.api_names[0] if entry and entry.api_names else name


def stores_conversations_once(name: str) -> bool:
    """True for a format, by either name, that holds a conversation's text once for all answers."""
    return any(
        entry.one_record_per_conversation and (name == entry.name or name in entry.api_names)
        for entry in FORMATS.values()
    )


def ranked_keys() -> Sequence[tuple[str, Format]]:
    """The keys that give a format away, the strongest first."""
    return tuple(_ranked(tuple(FORMATS.values())).items())


@cache
def _ranked(entries: Sequence[Format]) -> Mapping[str, Format]:
    ranked = [(rank, key, entry) for entry in entries for key, rank in entry.keys.items()]
    return {key: entry for _, key, entry in sorted(ranked, key=lambda found: found[0])}


def format_of(record: Mapping[str, Any]) -> tuple[Format, str] | None:
    """A record's format and the key that gave it away; None when no known key is there.

    A field that is null is not there.
    """
    ranked = _ranked(tuple(FORMATS.values()))
    if ranked.keys().isdisjoint(record):
        return None
    return next(
        ((entry, key) for key, entry in ranked.items() if record.get(key) is not None), None
    )


def is_shared(key: str) -> bool:
    """True for a field of several formats' records, which tells little about any of them."""
    shapes = [entry.rules.shape for entry in FORMATS.values() if entry.rules]
    return sum(shape is not None and key in shape.known for shape in shapes) > 1
