"""The form of the log lines that the engine and its child processes write."""

import logging
import time

LINE = "%(asctime)s+0000 %(levelname)s %(message)s"
"""Times are UTC and written as the functions write theirs, so that lines can be put in order."""


def log_to_stderr(name: str) -> None:
    """Write what the loggers under ``name`` say to standard error, which a log file may be."""
    handler = logging.StreamHandler()
    formatter = logging.Formatter(LINE)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logger = logging.getLogger(name)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
