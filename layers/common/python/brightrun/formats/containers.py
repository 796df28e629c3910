"""What kind of file the first bytes show: unpacked, or refused by its name."""

import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Protocol

from brightrun.formats.errors import UnreadableFileError

MOST_UNPACKED = 2 << 30
"""Bytes: the largest dataset is 500 MiB, and text packs to about a quarter."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLOCK = 256 << 10
_GZIP = b"\x1f\x8b"
_MAGIC = (
    (b"\xff\xfe\x00\x00", "file_is_utf32"),
    (b"\x00\x00\xfe\xff", "file_is_utf32"),
    (b"\xff\xfe", "file_is_utf16"),
    (b"\xfe\xff", "file_is_utf16"),
    (b"PAR1", "file_is_parquet"),
    (b"SQLite format 3\x00", "file_is_sqlite"),
    (b"version https://git-lfs", "file_is_lfs_pointer"),
    (b"\xd0\xcf\x11\xe0", "file_is_spreadsheet"),
    (b"BZh", "file_is_archive"),
    (b"\xfd7zXZ\x00", "file_is_archive"),
    (b"\x28\xb5\x2f\xfd", "file_is_archive"),
    (b"7z\xbc\xaf", "file_is_archive"),
    (b"\x04\x22\x4d\x18", "file_is_archive"),
    (b"Rar!\x1a\x07", "file_is_archive"),
    (b"PK\x05\x06", "file_is_zip"),
    (b"%PDF-", "file_is_binary"),
    (b"\x89PNG", "file_is_binary"),
    (b"\xff\xd8\xff", "file_is_binary"),
    (b"GIF8", "file_is_binary"),
    (b"\x93NUMPY", "file_is_binary"),
    (b"\xff\xff\xff\xff", "file_is_binary"),
    (b"ARROW1", "file_is_binary"),
    (b"Obj\x01", "file_is_binary"),
    (b"\x89HDF", "file_is_binary"),
    *((b"\x80%c" % version, "file_is_binary") for version in range(2, 6)),
)
"""Signatures: most are registered ones; a Python pickle opens with \\x80 and its version, an Arrow
stream with four times \\xff, an Avro file with Obj\\x01."""
_TAR, _TAR_AT = b"ustar", 257
_ZIP = b"PK\x03\x04"
_SHEETS = (b"xl/", b"[Content_Types].xml", b"opendocument.spreadsheet")
_HTML = re.compile(rb"\s*<(?:!doctype|html|head|body|!--|\?xml|error>)", re.IGNORECASE)
_YAML = re.compile(rb"(?:---\s*\n|- [\w\"']|[A-Za-z_][\w-]*:(?:\s|$))")


class Readable(Protocol):
    """Whatever has `read(size) -> bytes`: a file, BytesIO, the body of an S3 object.

    It may give less than was asked for, nothing only at its end.
    """

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""


def read_fully(source: Readable, size: int) -> bytes:
    """Read until so many bytes are there or the source ends, however little it gives at once."""
    parts, missing = [], size
    while missing and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def kind_of(head: bytes) -> str:
    """The code of what a file is by its first bytes, empty for text that may hold records."""
    for magic, code in _MAGIC:
        if head.startswith(magic):
            return code
    if found := _archive(head) or _wide_encoding(head[:400]):
        return found
    if _is_binary(head[:4000].rstrip(b"\x00") or head[:1]):
        return "file_is_binary"
    if _HTML.match(head):
        return "file_is_html"
    return "file_is_yaml" if _YAML.match(head.lstrip()) else ""


def _archive(head: bytes) -> str:
    """ZIP, which workbooks are stored as too, and tar, whose mark stands behind its first name."""
    if head.startswith(_ZIP):
        is_sheet = any(mark in head[:_BLOCK] for mark in _SHEETS)
        return "file_is_spreadsheet" if is_sheet else "file_is_zip"
    return "file_is_archive" if head.startswith(_TAR, _TAR_AT) else ""


def _wide_encoding(head: bytes) -> str:
    """Text of two or four bytes a character has zeros at regular places, also without a mark."""
    if len(head) < 8 or not head.rstrip(b"\x00"):
        return ""
    lanes = [head[at::4].count(0) / len(head[at::4]) for at in range(4)]
    if min(lanes) <= 0.05 and max(min(lanes[:2]), min(lanes[2:])) >= 0.95:
        return "file_is_utf32be" if lanes[0] >= 0.95 else "file_is_utf32le"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd >= 0.35 * len(head) and min(even, odd) <= 0.05 * len(head):
        return "file_is_utf16be" if even > odd else "file_is_utf16le"
    return ""


def _is_binary(head: bytes) -> bool:
    """Controls that no text has, in number or beside bytes that are no text in UTF-8.

    A single one is a fault of its line, and so are more of them where the file begins as JSON does.
    """
    controls = sum(head.count(code) for code in (0, 1, 2, 3, 4, 5, 6, 14, 15, 16))
    if controls > 0.3 * len(head):
        return True
    if head.lstrip()[:1] in (b"{", b"["):
        return False
    text = head.decode(errors="ignore").encode()
    return controls > 0 and b"\x00" in head and len(text) < len(head) - 3


def is_gzip(head: bytes) -> bool:
    """True for what gzip wrote."""
    return head.startswith(_GZIP)


MOST_PACKINGS = 4
"""How often a file may have been packed again."""


class Gunzip:
    """Reads what a gzip file holds, of any number of members, in constant memory.

    Raises UnreadableFileError where the archive is damaged or cut off, or unpacks to more than
    MOST_UNPACKED bytes.
    """

    def __init__(self, source: Readable) -> None:
        self._blocks = self._unpacked(source)
        self._rest = b""
        self._size = 0

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        if not self._rest:
            self._rest = next(self._blocks, b"")
        block, self._rest = self._rest[:size], self._rest[size:]
        return block

    def _unpacked(self, source: Readable) -> Iterator[bytes]:
        member, packed = zlib.decompressobj(wbits=31), b""
        while packed := packed or source.read(_BLOCK):
            if member.eof:
                if not packed.startswith(_GZIP):
                    return  # padding, as tapes and some tools write it
                member = zlib.decompressobj(wbits=31)
            try:
                block = member.decompress(packed, _BLOCK)
            except zlib.error as error:
                raise UnreadableFileError("it is no sound gzip", code="file_is_damaged") from error
            packed = member.unconsumed_tail or member.unused_data
            self._count(block)
            yield from (block,) if block else ()
        if not member.eof:
            raise UnreadableFileError("it ends too early", code="file_is_damaged")

    def _count(self, block: bytes) -> None:
        self._size += len(block)
        if self._size > MOST_UNPACKED:
            raise UnreadableFileError(f"more than {MOST_UNPACKED >> 30} GiB", code="file_too_large")


def unpacked(data: bytes) -> bytes:
    """All of a file, unpacked if it was packed, without a byte order mark."""
    while is_gzip(data):
        data = b"".join(iter(partial(Gunzip(BytesIO(data)).read, _BLOCK), b""))
    return data.removeprefix(BYTE_ORDER_MARK)


class Translated:
    """Reads a source through a function of its blocks."""

    def __init__(self, source: Readable, translate: Callable[[bytes], bytes]) -> None:
        self._source = source
        self._translate = translate

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        return self._translate(self._source.read(size))


class Peeked:
    """Reads a source whose first bytes were looked at, from its beginning.

    `head` is what was looked at, and `is_all` is true once nothing follows it.
    """

    def __init__(self, source: Readable, size: int) -> None:
        self._source = source
        self.head = self._rest = b""
        self.is_all = False
        self.extend(size)

    def extend(self, size: int) -> bytes:
        """Look at so much more, before anything was read; returns all that was looked at."""
        more = read_fully(self._source, size)
        self.is_all = len(more) < size
        self.head = self._rest = self.head + more
        return self.head

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, none at the end."""
        if not self._rest:
            return self._source.read(size)
        block, self._rest = self._rest[:size], self._rest[size:]
        return block
