"""Every permission that Bright Run's own roles hold, as data; the roles are made from this table.

A resource is written as the construct's name, and what follows the first slash narrows it to an
index, to object keys or to models: `BatchLogsBucket/*/log.txt`. No action holds a wildcard. `*` as
a whole resource stands only where the service knows no narrower one. A DynamoDB transaction needs
no action of its own: it is authorised by the item actions inside it.

tests/infra/test_roles.py runs every function and holds the roles equal to its calls.
"""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.claude import PROVIDER_GRANTS
from infra.permissions.datasets import DATASETS_GRANTS
from infra.permissions.generation import GENERATION_GRANTS
from infra.permissions.grant import KEEP_FAILED_EVENTS, LOGS_AND_TRACES, Grant
from infra.permissions.state_machines import STATE_MACHINE_GRANTS
from infra.permissions.training import TRAINING_GRANTS
from infra.permissions.training_workflow import (
    PULL_THE_IMAGE,
    TRAINING_ROLE_GRANTS,
    TRAINING_WORKFLOW_GRANTS,
)

FUNCTION_GRANTS: Mapping[str, tuple[Grant, ...]] = {
    **GENERATION_GRANTS,
    **DATASETS_GRANTS,
    **TRAINING_GRANTS,
    **TRAINING_WORKFLOW_GRANTS,
}

__all__ = [
    "FUNCTION_GRANTS",
    "KEEP_FAILED_EVENTS",
    "LOGS_AND_TRACES",
    "PROVIDER_GRANTS",
    "PULL_THE_IMAGE",
    "STATE_MACHINE_GRANTS",
    "TRAINING_ROLE_GRANTS",
    "Grant",
]
