"""What can be wrong with a file that is to be read or written as training data.

InvalidInputError
├── UnknownFormatError        the file is none of the formats we read
├── UnreadableFileError       a whole-file JSON document is broken
├── NotAnOutputFormatError    the format can be read but not written
├── NothingToTrainError       not one pair of the file can be trained on
└── RecordError               one record cannot be carried over; the others can
"""

from brightrun.core.errors import InvalidInputError


class UnknownFormatError(InvalidInputError):
    """The file is none of the formats we read; the message says what was looked for."""

    code = "unknown_format"


class UnreadableFileError(InvalidInputError):
    """A JSON document that must be read as one is broken or not shaped as its format says."""

    code = "unreadable_file"


class NotAnOutputFormatError(InvalidInputError):
    """The format can be read but not written."""

    code = "not_an_output_format"


class NothingToTrainError(InvalidInputError):
    """Not one pair of the file can be trained on, so no file was written."""

    code = "nothing_to_train"


class RecordError(InvalidInputError):
    """One record cannot be carried over as it stands; the message is the reason."""

    code = "unusable_record"
