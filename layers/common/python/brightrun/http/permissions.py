"""What a caller may do, by the groups of the user pool that the token names.

Each group may do what those before it may. A user in no group may do everything, unless the
deployment requires groups.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal

from aws_lambda_powertools.event_handler import Response

from brightrun.http.problems import problem

Group = Literal["reviewers", "writers", "trainers"]
GROUPS: tuple[Group, ...] = ("reviewers", "writers", "trainers")
"""Reviewers read, edit and decide; writers order conversations, too; trainers also train."""
REQUIRE_GROUPS = "requireGroups"
"""The stage variable of the API that is `true` where a user in no group may do nothing."""

REVIEWERS_ALSO = (
    "PATCH /api/conversations/{id}",
    "PATCH /api/conversations/{id}/status",
    "POST /api/conversations/bulk-action",
    "POST /api/conversations/bulk-action/{id}/undo",
    "PATCH /api/notifications/{id}/read",
    "POST /api/notifications/read-all",
    # These change nothing: they ask with a body.
    "POST /api/conversations/generate-batch/preview",
    "POST /api/conversations/duplicates",
    "POST /api/conversations/diversity",
    "POST /api/conversations/preferences",
    "POST /api/training-files/preview",
    "POST /api/scaffolding/check-compatibility",
    "POST /api/templates/select",
    "POST /api/templates/preview",
    "POST /api/templates/{id}/resolve",
    "POST /api/jobs/estimate",
    "POST /api/datasets/{id}/receipt",
    "POST /api/models/{id}/download",
    # Whoever sees that it costs too much may stop it.
    "POST /api/batch-jobs/{id}/cancel",
    "POST /api/jobs/{id}/cancel",
)
WRITERS_ALSO = (
    "POST /api/conversations/generate",
    "POST /api/conversations/generate-batch",
    "POST /api/conversations/generate-with-scaffolding",
    "POST /api/conversations/judge",
    "POST /api/batch-jobs/{id}/process-next",
    "POST /api/batch-jobs/{id}/retry-failed",
    "PATCH /api/conversations/batch/{id}",
    "POST /api/conversations",
    "DELETE /api/conversations/{id}",
    "POST /api/conversations/{id}/enrich",
    "POST /api/conversations/bulk-enrich",
    "POST /api/training-files",
    "POST /api/training-files/{id}/add-conversations",
    *(
        f"{method} /api/scaffolding/{kind}{path}"
        for kind in ("personas", "emotional-arcs", "training-topics")
        for method, path in (("POST", ""), ("PATCH", "/{id}"), ("DELETE", "/{id}"))
    ),
    "PUT /api/scaffolding/consultant",
    "POST /api/templates",
    "PATCH /api/templates/{id}",
    "DELETE /api/templates/{id}",
    "POST /api/datasets",
    "POST /api/datasets/import-from-training-file",
    "POST /api/datasets/{id}/confirm",
    "DELETE /api/datasets/{id}",
)
TRAINERS_ALSO = ("POST /api/jobs",)
NEEDS: Mapping[str, Group] = {
    **dict.fromkeys(REVIEWERS_ALSO, "reviewers"),
    **dict.fromkeys(WRITERS_ALSO, "writers"),
    **dict.fromkeys(TRAINERS_ALSO, "trainers"),
}
"""The group that a route needs, by API Gateway's route key; every GET needs `reviewers`."""


def needed_group(route_key: str) -> Group:
    """The group that a route needs at least; a route that nobody listed needs the highest."""
    if route_key.startswith("GET "):
        return "reviewers"
    return NEEDS.get(route_key, "trainers")


def group_problem(event: Mapping[str, Any]) -> Response[str] | None:
    """Refuse an API Gateway event whose caller's groups do not allow its route, with 403."""
    groups = _groups(event)
    is_required = (event.get("stageVariables") or {}).get(REQUIRE_GROUPS) == "true"
    if groups is None and not is_required:
        return None
    needed = needed_group(event["routeKey"])
    allowed = GROUPS[GROUPS.index(needed) :]
    if any(group in allowed for group in groups or ()):
        return None
    names = " or ".join(f"'{name}'" for name in allowed)
    yours = ", ".join(f"'{name}'" for name in groups or ()) or "none"
    return problem(
        HTTPStatus.FORBIDDEN,
        f"This needs the group {names}; yours: {yours}. Let an operator add you to it, then sign in"
        " again.",
        code="group_required",
        details={"needed": list(allowed), "groups": groups or []},
    )


def _groups(event: Mapping[str, Any]) -> list[str] | None:
    """The groups that the verified token names; None for a token that names none.

    The claim is a list in the token; API Gateway hands it over as text, `[reviewers writers]`.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    claim = authorizer.get("jwt", {}).get("claims", {}).get("cognito:groups")
    if claim is None:
        return None
    given = claim if isinstance(claim, str) else " ".join(claim)
    return re.findall(r"[^\s,\[\]\"]+", given)
