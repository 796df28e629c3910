"""The base of everything that can keep the local engine from doing what it is told."""


class LocalError(Exception):
    """An expected problem; its message says what, where and how to mend it."""
