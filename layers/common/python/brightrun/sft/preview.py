"""The first rows of a dataset as the model sees them, with what is trained set apart."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby, islice

import msgspec

from brightrun.sft.data import LISTED_SOURCES, TrainingPair
from brightrun.sft.spans import AnswerRefusedError
from brightrun.sft.templates import ChatFormat, Fitted, fits

MOST_CHARACTERS = 20_000
"""Characters of one sequence that are shown; longer ones are cut inside their segments."""


class Segment(msgspec.Struct):
    """A stretch of text that is trained or not; `omitted` characters were cut out of its middle."""

    text: str
    trained: bool
    omitted: int = 0


class ShownRow(msgspec.Struct):
    """One sequence of a row, in text; a row whose answers share no context gives several.

    `line` counts from 1; `side` is train or validation. One that does not `fit` is not trained.
    """

    line: int
    conversation_id: str
    side: str
    fits: bool
    tokens: int
    trained_tokens: int
    turns_dropped: int
    segments: list[Segment]


class TokenInContent(msgspec.Struct):
    """A special token that stands in a conversation's text and would be read as one."""

    token: str
    rows: int = 0
    lines: list[int] = []


@dataclass
class _Sequence:
    text: str
    spans: list[tuple[int, int]]
    answers: list[Fitted]


def preview_rows(
    pairs: Iterable[TrainingPair],
    count: int,
    chat: ChatFormat,
    max_tokens: int,
    held_out: set[int],
) -> list[ShownRow]:
    """The first `count` rows that have something to learn, as the trainer would write them.

    A row whose answers the template cannot teach counts, and shows nothing.
    """
    shown = []
    for line, group in islice(groupby(pairs, key=lambda pair: pair.line), count):
        rows = list(group)
        for sequence in _sequences(_fitted(rows, chat, max_tokens)):
            name = rows[0].conversation_id
            shown.append(_shown(sequence, line, name, max_tokens, line in held_out))
    return shown


def _fitted(rows: Iterable[TrainingPair], chat: ChatFormat, max_tokens: int) -> list[Fitted]:
    found = []
    for pair in rows:
        with suppress(AnswerRefusedError):
            found.append(chat.fit(pair, max_tokens))
    return found


def _sequences(answers: Sequence[Fitted]) -> list[_Sequence]:
    """The answers of one row, those that open a longer text inside it."""
    found: list[_Sequence] = []
    for answer in answers:
        span = (answer.border, len(answer.text))
        for one in found:
            if answer.text.startswith(one.text):
                one.text = answer.text
                one.spans.append(span)
                one.answers.append(answer)
                break
        else:
            found.append(_Sequence(answer.text, [span], [answer]))
    return found


def _shown(
    sequence: _Sequence, line: int, conversation_id: str, max_tokens: int, is_held_out: bool
) -> ShownRow:
    last = sequence.answers[-1]
    trained = [(one.border, len(one.text)) for one in sequence.answers if fits(one, max_tokens)]
    return ShownRow(
        line=line,
        conversation_id=conversation_id,
        side="validation" if is_held_out else "train",
        fits=fits(last, max_tokens),
        tokens=len(last.ids),
        trained_tokens=sum(
            len(one.ids) - one.start for one in sequence.answers if fits(one, max_tokens)
        ),
        turns_dropped=last.dropped,
        segments=_segments(sequence.text, trained),
    )


def _segments(text: str, trained: Sequence[tuple[int, int]]) -> list[Segment]:
    parts: list[tuple[str, bool]] = []
    at = 0
    for start, end in trained:
        parts += [(text[at:start], False), (text[start:end], True)]
        at = end
    parts = [part for part in [*parts, (text[at:], False)] if part[0]]
    most = MOST_CHARACTERS // len(parts) if len(text) > MOST_CHARACTERS else len(text)
    return [_segment(part, is_trained, most) for part, is_trained in parts]


def _segment(text: str, trained: bool, most: int) -> Segment:
    if len(text) <= most:
        return Segment(text, trained)
    half = most // 2
    return Segment(f"{text[:half]} … {text[-half:]}", trained, len(text) - 2 * half)


def tokens_in_content(
    pairs: Sequence[TrainingPair], special_tokens: Iterable[str]
) -> list[TokenInContent]:
    """The special tokens that stand in messages, the most frequent first; each row counts once."""
    texts = sorted((text for text in special_tokens if text.strip()), key=len, reverse=True)
    if not texts:
        return []
    pattern = re.compile("|".join(re.escape(text) for text in texts))
    found: dict[str, TokenInContent] = {}
    for line, group in groupby(pairs, key=lambda pair: pair.line):
        *_, last = group  # the last answer of a row has all its turns before it
        hits = {hit for turn in last.messages for hit in pattern.findall(turn["content"])}
        for hit in sorted(hits):
            one = found.setdefault(hit, TokenInContent(hit))
            one.rows += 1
            if len(one.lines) < LISTED_SOURCES:
                one.lines.append(line)
    return sorted(found.values(), key=lambda one: (-one.rows, one.token))
