"""The requests for a combination of records, and for its domain and language.

It stands alone because functions that generate need none of the other schemas at their start.
"""

from __future__ import annotations

from brightrun.core.fields import DEFAULT_DOMAIN
from brightrun.core.languages import ENGLISH, Language
from brightrun.http.schemas import Identifier, RequestModel
from brightrun.scaffolding.domain import DomainKey


class CombinationRequest(RequestModel):
    """A persona, an arc and a topic, each by its id or key."""

    persona_id: Identifier
    emotional_arc_id: Identifier
    training_topic_id: Identifier


class SettingRequest(RequestModel):
    """What conversations are about, and the language that they are written in."""

    domain: DomainKey = DEFAULT_DOMAIN
    language: Language = ENGLISH
