"""The request for a combination of records, which generation has in common with scaffolding.

It stands alone because functions that generate need none of the other schemas at their start.
"""

from __future__ import annotations

from brightrun.http.schemas import Identifier, RequestModel


class CombinationRequest(RequestModel):
    """A persona, an arc and a topic, each by its id or key."""

    persona_id: Identifier
    emotional_arc_id: Identifier
    training_topic_id: Identifier
