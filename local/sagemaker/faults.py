"""Scripted faults: how often AWS refuses capacity before it grants it."""

import json
import threading
from pathlib import Path

from local.durability.files import write_atomically

LIMIT_EXCEEDED = "limit_exceeded"
"""CreateTrainingJob answers ResourceLimitExceeded; no job comes to be."""

THROTTLED = "throttled"
"""CreateTrainingJob answers ThrottlingException."""

CAPACITY_ERRORS = "capacity_errors"
"""A job is accepted and fails before it trains: no instance was to be had."""

INTERRUPTIONS = "interruptions"
"""The machine of a job is taken away once it has written a checkpoint, as spot machines are."""

CAPACITY_REASON = (
    "CapacityError: Unable to provision requested ML compute capacity. Please retry using a"
    " different ML instance type."
)


def limit_message(instance_type: str) -> str:
    """Return what SageMaker says where an account may not use an instance type at all."""
    return (
        f"The account-level service limit '{instance_type} for training job usage' is 0 Instances,"
        " with current utilization of 0 Instances and a request delta of 1 Instances. Please use"
        " AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is not"
        " available, contact AWS support to request an increase for this quota."
    )


class ScriptedFaults:
    """Faults still to come, by name, in a JSON file that may be replaced at any time.

    ``{"limit_exceeded": 2, "capacity_errors": 1}``: the next two requests are refused, the first
    job after them fails for lack of capacity. Without the file nothing goes wrong.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    def take(self, fault: str) -> bool:
        """Use up one fault of that name; return whether there was one."""
        with self._lock:
            if not self._file.exists():
                return False
            left = json.loads(self._file.read_bytes())
            if left.get(fault, 0) <= 0:
                return False
            left[fault] -= 1
            write_atomically(self._file, json.dumps(left).encode())
            return True
