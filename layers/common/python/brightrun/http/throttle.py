"""Bounds each caller's requests, so that a loop of one user leaves the others their share.

API Gateway's HTTP APIs throttle a stage and its routes, not callers, and AWS WAF does not attach to
them. So each process of a function counts by itself: a user whose requests reach several processes
at once is answered by as many limits, below the limit of the stage.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from brightrun.http.problems import problem

REQUESTS_PER_USER = "requestsPerUserPerMinute"
"""The stage variable of the API with the limit; 0 or missing for none, as in a local system."""
MOST_CALLERS = 1000
"""Callers that one process remembers; the one that asked longest ago is forgotten first."""
_MINUTE_MS = 60_000


class OwnerThrottle:
    """A token bucket for each owner: a minute's requests at once, then as many a minute."""

    def __init__(self) -> None:
        # How many requests the owner may make, and when that was so, in milliseconds since 1970.
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def problem(self, event: Mapping[str, Any]) -> Response[str] | None:
        """Refuse an API Gateway event whose caller has used up its minute, with 429."""
        limit = int((event.get("stageVariables") or {}).get(REQUESTS_PER_USER, 0))
        context = event["requestContext"]
        owner = (context.get("authorizer") or {}).get("jwt", {}).get("claims", {}).get("sub")
        if not limit or not owner:
            return None
        wait_s = self._take(owner, limit, context["timeEpoch"])
        if not wait_s:
            return None
        return problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"These are more than {limit} requests in a minute: go on in {wait_s} s, and slower.",
            code="too_many_requests",
            headers={"Retry-After": str(wait_s)},
        )

    def _take(self, owner: str, limit: int, now_ms: int) -> int:
        """Take one request from the owner's bucket; return the seconds to wait if it is empty."""
        left, since_ms = self._buckets.pop(owner, (float(limit), now_ms))
        refilled = max(0, now_ms - since_ms) / _MINUTE_MS * limit
        left = min(float(limit), left + refilled)
        allowed = left >= 1
        self._buckets[owner] = left - allowed, max(now_ms, since_ms)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0 if allowed else math.ceil((1 - left) / limit * _MINUTE_MS / 1000)
