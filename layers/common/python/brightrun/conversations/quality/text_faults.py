"""Faults of a turn's text in any domain: characters, special tokens, repetition and length.

Every check takes linear time, whatever the text. What needs the words of a text looks at its first
SEARCHED characters, since a text that is longer is flagged for its length.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache

from brightrun.conversations.quality.model import TurnFlag
from brightrun.conversations.quality.transcript import Utterance, phrases_of, words_of
from brightrun.core.special_tokens import MORE_SPECIAL_TOKENS, SPECIAL_TOKENS
from brightrun.core.text import BIDIRECTIONAL, CONTROLS

LONGEST_TURN = 20_000
"""Characters of a turn: about 5,000 tokens, four times the longest answer of v1."""
LONGEST_CONVERSATION, MOST_TURNS = 200_000, 200
LONGEST_WORD, LONGEST_STRING = 100, 1000
"""Characters of a word, and of letters, digits and marks without a space. Scripts that are written
without spaces have no such limit."""
SEARCHED = 100_000

_CONTROL = rf"[{CONTROLS}]|\r(?!\n)"
"""The controls, and a carriage return that is not before a newline."""
_INVISIBLE = (
    r"[\u00ad\u180e\u200b-\u200f\u2060-\u2064\u206a-\u206f\ufeff]{2,}"
    r"|[A-Za-z0-9][\u180e\u200b-\u200d\u2060-\u2064\ufeff]+[A-Za-z0-9]"
    r"|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0000-\U000e007f]"
)
"""Runs of invisible characters, those inside Latin words, and tag characters outside of flags.
Emoji, Persian and Thai use single ones."""
_LONG_WORD = (
    rf"[A-Za-z\u00c0-\u024f]{{{LONGEST_WORD + 1}}}|[!-~\u00a1-\u024f]{{{LONGEST_STRING + 1}}}"
)

_RUN_OF_LETTERS, _RUN_OF_OTHERS = r"([^\W\d_])\1{24}", r"(?s:([\W\d_])\1{199})"
"""Runs of one character that no text has: "nooooo" is shorter, and so are lines of dashes."""
_SYLLABLES = r"([^\W\d_]{2,20}?)\1{11,}"
"""Letters that are repeated without a space, twelve times."""
_REPEATED_IN_WORD = 24
"""Letters of the shortest word that _RUN_OF_LETTERS or _SYLLABLES can match, which are slow."""
_LONGEST_UNIT = 40
"""Words of a phrase whose repetition is looked for."""
_FEWEST_REPEATED = 4
_FEWEST_WORDS, _DEGENERATE_SHARE = 40, 0.5
_FEWEST_BYTES, _DEGENERATE_RATIO = 800, 8.0
"""How many times smaller zlib makes a degenerate text; English of any length stays under 4."""
_SAME_TURN = 0.8
"""The share of a turn's phrases from which on it repeats earlier turns."""


def text_flags(said: Sequence[Utterance]) -> Iterator[TurnFlag]:
    """Yield the flags of every turn by its text alone, and those of the turns together."""
    for one in said:
        yield from _character_flags(one)
        if fault := _length_fault(one.text):
            yield TurnFlag("absurd_length", one.number, f"It is absurdly long: {fault}.")
        if fault := repetition_fault(one.text):
            yield TurnFlag("degenerate_repetition", one.number, f"It repeats {fault}.")
    yield from _whole_length(said)
    yield from _repeated_turns(said)


def _character_flags(one: Utterance) -> Iterator[TurnFlag]:
    for code, expression, what in (
        ("control_character", _CONTROL, "a control character"),
        (
            "bidirectional_override",
            f"[{BIDIRECTIONAL}]",
            "a character that changes the text's direction",
        ),
        ("invisible_characters", _INVISIBLE, "invisible characters"),
    ):
        if match := _compiled(expression).search(one.text):
            points = " ".join(f"U+{ord(each):04X}" for each in match[0][:4])
            where = f"{points} at character {match.start() + 1}"
            yield TurnFlag(code, one.number, f"It holds {what}: {where}.")
    if match := _compiled(f"{SPECIAL_TOKENS}|{MORE_SPECIAL_TOKENS}").search(one.text):
        where = f"{match[0]} at character {match.start() + 1}"
        yield TurnFlag("special_token", one.number, f"It holds a special token: {where}.")


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    """Compile at the first use: a cold start has no time for it."""
    return re.compile(expression)


def _length_fault(text: str) -> str | None:
    if len(text) > LONGEST_TURN:
        return f"{len(text):,} characters, and {LONGEST_TURN:,} are the most"
    if match := _compiled(_LONG_WORD).search(text):
        return f"more than {len(match[0]) - 1} characters without a space"
    return None


def _whole_length(said: Sequence[Utterance]) -> Iterator[TurnFlag]:
    """Flag the turn at which the conversation becomes too long."""
    characters = 0
    for count, one in enumerate(said, start=1):
        characters += len(one.text)
        if characters > LONGEST_CONVERSATION or count > MOST_TURNS:
            most = f"{LONGEST_CONVERSATION:,} characters or {MOST_TURNS} turns are the most"
            message = f"The conversation is absurdly long from here on: {most}."
            yield TurnFlag("absurd_length", one.number, message)
            return


def repetition_fault(text: str) -> str | None:
    """What a text repeats over and over, if it is degenerate: a character, a phrase, or itself."""
    text = text[:SEARCHED]
    found = words_of(text)
    is_long = max(map(len, found), default=0) >= _REPEATED_IN_WORD
    for run in (_RUN_OF_LETTERS, _RUN_OF_OTHERS) if is_long else (_RUN_OF_OTHERS,):
        if match := _compiled(run).search(text):
            return f"the character U+{ord(match[0][0]):04X} {len(match[0])} times in a row, or more"
    if is_long and (match := _compiled(_SYLLABLES).search(text)):
        return f'"{match[1]}" {len(match[0]) // len(match[1])} times in a row'
    words = [word.casefold() for word in found]
    phrases = phrases_of(words)
    # Any phrase that is said often enough in a row says these many phrases again.
    if len(phrases) - len(set(phrases)) >= _FEWEST_REPEATED and (fault := _repeated_phrase(words)):
        return fault
    if (share := repeated_share(words)) >= _DEGENERATE_SHARE:
        return f"itself: {share:.0%} of its phrases stand in it before"
    raw = text.encode(errors="replace")
    ratio = len(raw) / len(zlib.compress(raw, 1)) if len(raw) >= _FEWEST_BYTES else 0
    return f"itself: it has {ratio:.0f} times less to say" if ratio >= _DEGENERATE_RATIO else None


def repeated_share(words: Sequence[str]) -> float:
    """The share of four-word phrases that stand earlier among the same words; 0 for a few words."""
    if len(words) < _FEWEST_WORDS:
        return 0.0
    phrases = phrases_of(words)
    return 1 - len(set(phrases)) / len(phrases)


def _repeated_phrase(words: Sequence[str]) -> str | None:
    """A phrase of up to 40 words that is said several times in a row; figures may be."""
    for period in range(1, min(_LONGEST_UNIT, len(words) // 2) + 1):
        least = 8 if period == 1 else 5 if period <= 3 else 4
        run = 0
        for index in range(period, len(words)):
            run = run + 1 if words[index] == words[index - period] else 0
            if run == period * (least - 1):
                phrase = words[index - period + 1 : index + 1]
                if any(word.isalpha() for word in phrase):
                    return f'"{" ".join(phrase)[:80]}" at least {least} times in a row'
    return None


def _repeated_turns(said: Sequence[Utterance]) -> Iterator[TurnFlag]:
    """Flag a side that says the same in half of its turns, three times at least."""
    for role in ("user", "assistant"):
        turns = [one for one in said if one.role == role][:MOST_TURNS]
        seen: set[tuple[str, ...]] = set()
        again = []
        for one in turns:
            words = words_of(one.text[:SEARCHED].casefold())
            phrases = set(phrases_of(words))
            if phrases and len(phrases & seen) >= _SAME_TURN * len(phrases):
                again.append(one.number)
            seen |= phrases
        if len(again) >= 2 and 2 * (len(again) + 1) >= len(turns):
            message = f"Like {len(again)} turns of its side, it repeats what was said before."
            yield TurnFlag("degenerate_repetition", again[-1], message)
