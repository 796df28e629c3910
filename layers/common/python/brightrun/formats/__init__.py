"""The dataset formats: one registry, and what reads, writes and converts; pure, offline, no AWS.

The training image has this package for the trainer's reading of rows, so that importing it brings
in nothing but msgspec.
"""

from brightrun.formats.codes import (
    Code,
    Severity,
    codes,
    codes_page,
    message_of,
    shown,
    unknown_codes,
)
from brightrun.formats.containers import BYTE_ORDER_MARK, Readable
from brightrun.formats.conversation_file import (
    ConversationFile,
    PlacedConversation,
    refused_pairs,
)
from brightrun.formats.convert import convert, convert_file
from brightrun.formats.detect import Detection
from brightrun.formats.documents import Place
from brightrun.formats.errors import FormatError, RecordError
from brightrun.formats.fields import ID_FIELDS, METADATA, conversation_id_of
from brightrun.formats.format import (
    FORMATS,
    META,
    api_name,
    api_names,
    register,
    stores_conversations_once,
)
from brightrun.formats.lines import (
    BLOCK_BYTES,
    LONGEST_LINE,
    Block,
    BlockReader,
    TooLong,
    chunks_of,
    lines_of,
    numbered_lines,
)
from brightrun.formats.model import Example, Format, Reading, Turn
from brightrun.formats.preference import preference_record
from brightrun.formats.reader import PlacedRecord, Problems, RecordFile, RecordReader
from brightrun.formats.rules import Kind, Message, RowShape, Rules
from brightrun.formats.source import RecordSource
from brightrun.formats.strict_json import UNUSUAL, compact, indented, loads
from brightrun.formats.tally import Conversion
from brightrun.formats.text import INVISIBLE, MEDIA_PLACEHOLDERS, ends_cut, is_blank
from brightrun.formats.v4 import FORMAT_SPEC, VERSION, is_trainable, line_of_pair, repeats_user_turn
from brightrun.formats.v4_files import (
    V4_JSON,
    V4Conversation,
    V4Document,
    meta_line,
    read_document,
    training_document,
)

__all__ = [
    "BLOCK_BYTES",
    "BYTE_ORDER_MARK",
    "Block",
    "BlockReader",
    "Code",
    "Conversion",
    "ConversationFile",
    "Place",
    "PlacedConversation",
    "refused_pairs",
    "Detection",
    "Example",
    "FORMATS",
    "FORMAT_SPEC",
    "Format",
    "FormatError",
    "ID_FIELDS",
    "MEDIA_PLACEHOLDERS",
    "INVISIBLE",
    "Kind",
    "LONGEST_LINE",
    "META",
    "METADATA",
    "Message",
    "PlacedRecord",
    "Problems",
    "Readable",
    "Reading",
    "RecordError",
    "RecordFile",
    "RecordReader",
    "RecordSource",
    "RowShape",
    "Rules",
    "Severity",
    "TooLong",
    "Turn",
    "UNUSUAL",
    "V4Conversation",
    "V4Document",
    "V4_JSON",
    "VERSION",
    "api_name",
    "api_names",
    "chunks_of",
    "codes",
    "codes_page",
    "compact",
    "conversation_id_of",
    "convert",
    "convert_file",
    "ends_cut",
    "indented",
    "is_blank",
    "is_trainable",
    "line_of_pair",
    "lines_of",
    "loads",
    "message_of",
    "meta_line",
    "numbered_lines",
    "preference_record",
    "read_document",
    "register",
    "repeats_user_turn",
    "shown",
    "stores_conversations_once",
    "training_document",
    "unknown_codes",
]
