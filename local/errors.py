"""The base class of the local engine's expected errors."""


class LocalError(Exception):
    """An expected problem; its message says what, where and how to fix it."""
