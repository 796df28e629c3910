"""What the functions that estimate, train and deliver may do."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import Grant

TRAINING_GRANTS: Mapping[str, tuple[Grant, ...]] = {}
