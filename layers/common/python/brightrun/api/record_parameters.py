"""The parameters that the routes of all scaffolding records share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query

from brightrun.domain.scaffolding import R
from brightrun.errors import InvalidInputError

RecordName = Annotated[
    str, Path(pattern=r"^[^\x00-\x1f\x7f]{1,150}$", max_length=150, description="The id or key.")
]
"""Templates go by their names, which are words as people write them."""

IsActive = Annotated[Literal["true", "false", "all"], Query()]
_VERSION = '^([0-9]{1,18}|"[0-9]{1,18}")$'
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=20,
        description="The version that the caller has seen.",
        json_schema_extra={"pattern": _VERSION},
    ),
]


def seen_version(if_match: str | None) -> int | None:
    """Read the version of an If-Match header, with or without quotes; None for none.

    Raises InvalidInputError.
    """
    if if_match is None:
        return None
    if not re.fullmatch(_VERSION, if_match):
        raise InvalidInputError(
            f"If-Match must be the version number of the record, such as 3; it is '{if_match}'."
        )
    return int(if_match.strip('"'))


def with_activity(records: Iterable[R], is_active: str) -> tuple[R, ...]:
    """Keep the records that are active, inactive, or all of them."""
    return tuple(
        one for one in records if is_active == "all" or one.is_active is (is_active == "true")
    )
