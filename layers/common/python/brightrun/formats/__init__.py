"""The dataset formats: one registry, and what reads, writes and converts; pure, offline, no AWS.

The training image has this package for the trainer's reading of rows, so that importing it brings
in nothing but msgspec.
"""

from brightrun.formats.convert import convert, convert_file
from brightrun.formats.detect import Detection
from brightrun.formats.format import FORMATS, register
from brightrun.formats.model import Example, Format, Turn
from brightrun.formats.reader import RecordFile
from brightrun.formats.tally import Conversion

__all__ = [
    "FORMATS",
    "Conversion",
    "Detection",
    "Example",
    "Format",
    "RecordFile",
    "Turn",
    "convert",
    "convert_file",
    "register",
]
