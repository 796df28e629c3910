"""Finds suspicious text fast: personal data, secrets, control tokens, escapes shown as text.

The patterns run in pydantic-core's regex engine (Rust): linear time whatever the input, and literal
needles are searched many bytes at a time, so that a clean line costs a fraction of its parsing.
Covered: e-mail addresses, phone numbers in groups that end in four digits, US social security
numbers, card numbers that pass the Luhn check, and the tokens of well-known services.  Names,
postal addresses and other ways of writing phone numbers are not.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from functools import cache

from brightrun.core.special_tokens import SPECIAL_TOKENS
from brightrun.formats import INVISIBLE, MEDIA_PLACEHOLDERS, RowShape
from brightrun.validation.record_summary import Line

Test = Callable[[str | bytes], bool]

# Quick sets first, which the engine searches as literals; what they hit is scanned precisely.
# (Measured: joining them into one set is slower.)
_QUICK_MARKS = (
    r"\\[\\u/]|<[|/<s\\]|<bos>|<eos>|<pad>|<unk>|<end_of_turn>|<image>|<video>|<audio>|<｜"
)
_QUICK_TOKENS = r"AKIA|ASIA|sk-|-----BEGIN|ghp_|github_pat_|xox|AIza|eyJ|INST\]"
_QUICK_DIGITS = r"[0-9]{2}[-. ][0-9]{4}|[0-9]{13}"
_ESCAPES = r"\\[u/]"
_HIDDEN = r"\\\\|\\u00[0-7]|<\\u"  # what only decoding shows: a literal backslash, an escaped "@"
_KEYS_AND_TOKENS = (
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bsk-[A-Za-z0-9_-]{20}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\bghp_[A-Za-z0-9]{36}|\bgithub_pat_[A-Za-z0-9_]{22}|\bxox[abprs]-[A-Za-z0-9-]{10}"
    r"|\bAIza[0-9A-Za-z_-]{35}|\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10}"
)
# A line break shown as text has no lower-case letter after it; LaTeX and Windows paths have one.
_LITERAL_ESCAPE = r'\\[nrt](?:[^a-z]|$)|\\"|\\u[0-9a-fA-F]{4}'
_EMAIL = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2}"
_PHONE = r"[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}(?:[^0-9]|$)"
_FOREIGN_PHONE = r"\+[0-9]{1,3}(?:[ .-][0-9]{2,4}){1,3}[ .-][0-9]{4}(?:[^0-9]|$)"
_SOCIAL_SECURITY = r"[0-9]{3}-[0-9]{2}-[0-9]{4}(?:[^0-9-]|$)"
_CARD = r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]|3[47][0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{5}"
_INVISIBLE = "".join(f"\\u{{{ord(mark):x}}}" if mark != "-" else "-" for mark in INVISIBLE)
_DIGIT_RUN = re.compile(r"[0-9][0-9 -]{11,}[0-9]")


@cache
def pattern(expression: str) -> Test:
    """Compile a test for `str` or UTF-8 bytes; bytes that are not UTF-8 never match."""
    from pydantic_core import SchemaValidator, core_schema

    return SchemaValidator(core_schema.str_schema(pattern=expression)).isinstance_python


def blank_or_no_text(shape: RowShape) -> Test:
    """A test for lines in which a text may be blank or no string at all, told by its first byte.

    A text that may be blank passes if it is empty, which needs no decoding; one that begins with
    what shows nothing may be blank.
    """
    fields = {**shape.fields, **(shape.turns.fields if shape.turns else {})}
    texts = "|".join(re.escape(name) for name, kind in fields.items() if kind == "text")
    strings = "|".join(re.escape(name) for name, kind in fields.items() if kind == "string")
    blank = rf'"(?:{texts})"\s*:\s*(?:[^"\s]|"[\s"\\{_INVISIBLE}])'
    string = rf'|"(?:{strings})"\s*:\s*(?:[^"\s]|"[\s\\{_INVISIBLE}])'
    return pattern(blank + string if strings else blank)


@cache
def _search(expression: str) -> Callable[[bytes], bool | None]:
    """Compile a search of bytes that says whether it found something; None if they are not UTF-8.

    pydantic refuses what is not UTF-8 before it searches it, and what is for not having what was
    searched; so nothing is copied (decoding English with a few dashes runs at 2.5 GB/s).
    """
    from pydantic_core import SchemaValidator, ValidationError, core_schema

    validate = SchemaValidator(core_schema.str_schema(pattern=expression)).validate_python

    def search(data: bytes) -> bool | None:
        try:
            validate(data)
        except ValidationError as error:
            (problem,) = error.errors(include_url=False, include_context=False, include_input=False)
            return False if problem["type"] == "string_pattern_mismatch" else None
        return True

    return search


def is_utf8(data: bytes) -> bool:
    """Tell whether bytes are UTF-8 without decoding them, at about 10 GB/s."""
    return _search("\U0010ffff")(data) is not None


class ScanVerdict(IntEnum):
    """What the scan of a raw line says about its texts."""

    CLEAN = 0  # `findings` would find nothing in them
    ESCAPED = 1  # the same, but they are written with escapes for other alphabets
    SUSPICIOUS = 2  # they have to be decoded and searched


LineScan = Callable[[bytes], ScanVerdict]
Suspects = Sequence[tuple[int, ScanVerdict]]
ChunkScan = Callable[[bytes, Sequence[Line]], Suspects | None]


@cache
def chunk_scan(shape: RowShape) -> ChunkScan:
    """Return the scan of a chunk for lines that are not clean, by position from 0.

    It returns None for a chunk that is not UTF-8.  The quick sets search the whole chunk, which is
    many times as fast as line by line; only if one of them hits (which it does in UTF-8 alone) is
    each line searched for it, and only the lines hit are scanned precisely.
    """
    scan, blank, email = line_scan(shape), blank_or_no_text(shape), pattern(_EMAIL)
    quick = (pattern(_QUICK_MARKS), pattern(_QUICK_DIGITS), blank)
    tokens, search_tokens = pattern(_QUICK_TOKENS), _search(_QUICK_TOKENS)

    def suspects(chunk: bytes, lines: Sequence[Line]) -> Suspects | None:
        has_tokens = search_tokens(chunk)
        if has_tokens is None:
            return None
        hits = [test for test in quick if test(chunk)]
        if has_tokens:
            hits.append(tokens)
        if b"@" in chunk and email(chunk):
            hits.append(email)
        if not hits:
            return ()
        verdicts = [
            scan(line) if any(test(line) for test in hits) else ScanVerdict.CLEAN
            for line in map(bytes, lines)
        ]
        return [(at, found) for at, found in enumerate(verdicts) if found]

    return suspects


@cache
def line_scan(shape: RowShape) -> LineScan:
    """Return the scan of single lines of a format; it is built once and keeps no state."""
    blank = blank_or_no_text(shape)
    marks, tokens, digits = map(pattern, (_QUICK_MARKS, _QUICK_TOKENS, _QUICK_DIGITS))
    hidden, control, keys = map(pattern, (_HIDDEN, SPECIAL_TOKENS, _KEYS_AND_TOKENS))
    email, escapes = pattern(_EMAIL), pattern(_ESCAPES)
    placeholders = [placeholder.encode() for placeholder in MEDIA_PLACEHOLDERS]

    clean, escaped, suspicious = ScanVerdict

    def scan(line: bytes) -> ScanVerdict:
        if (
            (tokens(line) and (keys(line) or control(line)))
            or (digits(line) and _has_personal_number(line))
            or (b"@" in line and email(line))
            or blank(line)
        ):
            return suspicious
        if not marks(line):
            return clean
        if hidden(line) or control(line) or any(one in line for one in placeholders):
            return suspicious
        return escaped if escapes(line) else clean

    return scan


def _has_personal_number(text: str | bytes) -> bool:
    numbers = (_SOCIAL_SECURITY, _PHONE, _FOREIGN_PHONE)
    return any(pattern(number)(text) for number in numbers) or _has_card_number(text)


def _has_card_number(text: str | bytes) -> bool:
    if not pattern(_CARD)(text):
        return False
    readable = text if isinstance(text, str) else text.decode()
    return any(map(_passes_luhn, _DIGIT_RUN.findall(readable)))


def findings(text: str) -> Iterator[tuple[str, str]]:
    """Yield `(code, kind)` for each kind of suspicious content; never the content itself."""
    if "\\" in text and pattern(_LITERAL_ESCAPE)(text):
        yield "literal_escape", ""
    if ("<" in text or "[" in text) and pattern(SPECIAL_TOKENS)(text):
        yield "special_token", ""
    if pattern(_QUICK_TOKENS)(text) and pattern(_KEYS_AND_TOKENS)(text):
        yield "secret", ""
    if "@" in text and pattern(_EMAIL)(text):
        yield "personal_data", "e-mail address"
    if pattern(_QUICK_DIGITS)(text) and _has_personal_number(text):
        for kind in _personal_numbers(text):
            yield "personal_data", kind


def _personal_numbers(text: str) -> Iterator[str]:
    if pattern(_SOCIAL_SECURITY)(text):
        yield "social security number"
    if pattern(_PHONE)(text) or pattern(_FOREIGN_PHONE)(text):
        yield "phone number"
    if _has_card_number(text):
        yield "card number"


def _passes_luhn(number: str) -> bool:
    """ISO/IEC 7812-1: 13 to 19 digits, every second from the right doubled, sum divisible by 10."""
    digits = [int(digit) for digit in number if digit.isdigit()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1
