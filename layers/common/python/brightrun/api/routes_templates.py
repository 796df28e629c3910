"""Routes under /api/templates: the prompt templates, trying them out and choosing among them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Query

from brightrun.api import scaffolding_models as models
from brightrun.api.app import owner_of
from brightrun.api.routes_scaffolding import (
    IfMatch,
    IsActive,
    RecordId,
    Service,
    seen_version,
    with_activity,
)
from brightrun.domain.scaffolding import PromptTemplate, PromptTemplateContent, Tier
from brightrun.domain.template_selection import Wanted
from brightrun.services.try_scaffolding import (
    Combination,
    rank_for_arc,
    resolve_template,
    select_for_arc,
)

PATH = "/api/templates"
ArcKey = Annotated[str, Query(min_length=1, max_length=100)]
OptionalKey = Annotated[str | None, Query(max_length=100)]


def add_template_routes(api: APIGatewayHttpResolver, service: Service) -> None:
    """Add every route under /api/templates."""
    _add_records(api, service)
    _add_selection(api, service)
    _add_resolution(api, service)


def _answer(template: PromptTemplate) -> models.TemplateAnswer:
    return models.TemplateAnswer(template=models.TemplateView.of(template))


def _add_records(api: APIGatewayHttpResolver, service: Service) -> None:
    @api.get(PATH)
    def list_templates(is_active: IsActive = "true") -> models.TemplateList:
        found = with_activity(service().catalog().all(owner_of(api), PromptTemplate), is_active)
        templates = tuple(models.TemplateView.of(template) for template in found)
        return models.TemplateList(templates=templates, count=len(templates))

    @api.post(PATH, status_code=HTTPStatus.CREATED)
    def create_template(content: PromptTemplateContent) -> models.TemplateAnswer:
        return _answer(service().create(owner_of(api), PromptTemplate, content))

    @api.get(f"{PATH}/<record_id>")
    def read_template(record_id: RecordId) -> models.TemplateAnswer:
        return _answer(service().catalog().template(owner_of(api), record_id))

    @api.patch(f"{PATH}/<record_id>")
    def edit_template(
        record_id: RecordId, changes: models.TemplateChanges, if_match: IfMatch = None
    ) -> models.TemplateAnswer:
        fields = changes.model_dump(exclude_unset=True)
        seen = seen_version(if_match)
        return _answer(service().edit(owner_of(api), PromptTemplate, record_id, fields, seen))

    @api.delete(f"{PATH}/<record_id>")
    def deactivate_template(record_id: RecordId) -> models.TemplateAnswer:
        return _answer(service().deactivate(owner_of(api), PromptTemplate, record_id))


def _add_selection(api: APIGatewayHttpResolver, service: Service) -> None:
    path = f"{PATH}/select"

    @api.get(path)
    def rank_templates(
        emotional_arc_type: ArcKey,
        tier: Annotated[Tier | None, Query()] = None,
        persona_type: OptionalKey = None,
        topic_key: OptionalKey = None,
    ) -> models.RankedTemplateList:
        wanted = Wanted(emotional_arc_type, tier, persona_type, topic_key)
        ranked = rank_for_arc(service().catalog(), owner_of(api), wanted)
        return models.RankedTemplateList(
            templates=tuple(
                models.TemplateScore(template=models.TemplateView.of(one.template), score=one.score)
                for one in ranked
            )
        )

    @api.post(path)
    def select_template(request: models.SelectTemplateRequest) -> models.TemplateAnswer:
        wanted = Wanted(
            request.emotional_arc_type, request.tier, request.persona_type, request.topic_key
        )
        return _answer(select_for_arc(service().catalog(), owner_of(api), wanted))


def _add_resolution(api: APIGatewayHttpResolver, service: Service) -> None:
    @api.post(f"{PATH}/<record_id>/resolve")
    def resolve(record_id: RecordId, chosen: models.CombinationRequest) -> models.ResolvedTemplate:
        combination = Combination(**chosen.model_dump())
        prompt = resolve_template(service().catalog(), owner_of(api), record_id, combination)
        return models.ResolvedTemplate(
            prompt=prompt.user, system_prompt=prompt.system, length=len(prompt.user)
        )
