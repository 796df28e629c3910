"""Routes under /api/scaffolding: the consultant, and whether a combination fits."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.record_parameters import IfMatch, seen_version
from brightrun.api.scaffolding_answers import CompatibilityAnswer, ConsultantAnswer
from brightrun.api.template_models import CombinationRequest
from brightrun.domain.scaffolding import ConsultantContent
from brightrun.services.try_scaffolding import Combination, rate_combination

router = APIGatewayHttpRouter()

CONSULTANT = "/api/scaffolding/consultant"
TAGS = ["Scaffolding"]


@router.get(CONSULTANT, tags=TAGS)
def show_consultant() -> ConsultantAnswer:
    """Show the caller's consultant."""
    consultant = bootstrap.scaffolding_editor().catalog().consultant(owner_of(router))
    return ConsultantAnswer(consultant=consultant)


@router.put(CONSULTANT, tags=TAGS)
def replace_consultant(content: ConsultantContent, if_match: IfMatch = None) -> ConsultantAnswer:
    """Replace the caller's consultant."""
    owner, seen = owner_of(router), seen_version(if_match)
    consultant = bootstrap.scaffolding_editor().put_consultant(owner, content, seen)
    return ConsultantAnswer(consultant=consultant)


@router.post("/api/scaffolding/check-compatibility", tags=TAGS)
def check_compatibility(chosen: CombinationRequest) -> CompatibilityAnswer:
    """Say how well a persona, an arc and a topic fit."""
    combination = Combination(**chosen.model_dump())
    advice = rate_combination(
        bootstrap.scaffolding_editor().catalog(), owner_of(router), combination
    )
    return CompatibilityAnswer(
        is_compatible=advice.is_compatible,
        confidence=advice.confidence,
        warnings=advice.warnings,
        suggestions=advice.suggestions,
    )
