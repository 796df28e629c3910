"""Reads and writes the training formats and turns one into another; pure, offline, no AWS."""

from brightrun.formats.convert import convert, convert_file
from brightrun.formats.detect import Detection, detect
from brightrun.formats.model import Example, Form, Turn
from brightrun.formats.tally import Conversion

__all__ = [
    "Conversion",
    "Detection",
    "Example",
    "Form",
    "Turn",
    "convert",
    "convert_file",
    "detect",
]
