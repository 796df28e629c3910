"""What can be wrong with a file that is to be read or written as training data.

FormatError
├── UnknownFormatError        the file is none of the formats we read
├── UnreadableFileError       the file is broken, or no text with records
├── NotAnOutputFormatError    the format can be read but not written
├── NothingToTrainError       not one pair of the file can be trained on
├── OutputExistsError         the file to write is there already
└── RecordError               one record cannot be carried over; the others can

They stand apart from brightrun.core.errors, which the training image does not have.
"""

from typing import Any


class FormatError(Exception):
    """A file or record cannot be used: a sentence for people, a code for machines, details."""

    code = "invalid_format"

    def __init__(self, message: str, *, details: Any = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.code = code or self.code


class UnknownFormatError(FormatError):
    """The file is none of the formats we read; the message says what was looked for."""

    code = "unknown_format"


class UnreadableFileError(FormatError):
    """The file is broken, or it is no text that holds records; the code says which."""

    code = "unreadable_file"


class NotAnOutputFormatError(FormatError):
    """The format can be read but not written."""

    code = "not_an_output_format"


class NothingToTrainError(FormatError):
    """Not one pair of the file can be trained on, so no file was written."""

    code = "nothing_to_train"


class OutputExistsError(FormatError):
    """The file to write is there already, and nobody said that it may be replaced."""

    code = "output_exists"


class RecordError(FormatError):
    """One record cannot be carried over as it stands; the message is the reason."""

    code = "unusable_record"
