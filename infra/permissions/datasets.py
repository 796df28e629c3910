"""What the functions that take in, validate and show datasets, and the notifications may do."""

from __future__ import annotations

from collections.abc import Mapping

from infra.permissions.grant import Grant

DATASETS_GRANTS: Mapping[str, tuple[Grant, ...]] = {}
