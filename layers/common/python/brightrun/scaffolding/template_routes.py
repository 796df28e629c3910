"""Routes under /api/templates: the prompt templates, trying them out and choosing among them."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.http.app import owner_of, service
from brightrun.http.schemas import Filter, Identifier
from brightrun.scaffolding.matching import TemplateCriteria
from brightrun.scaffolding.model import PromptTemplate, PromptTemplateContent, Tier
from brightrun.scaffolding.schemas import (
    CombinationRequest,
    IfMatch,
    IsActive,
    RankedTemplateList,
    RecordName,
    ResolvedTemplate,
    SelectTemplateRequest,
    TemplateChanges,
    TemplateList,
    TemplateResponse,
    TemplateView,
    seen_version,
    with_activity,
)
from brightrun.scaffolding.service import (
    Combination,
    ScaffoldingEditor,
    rank_for_arc,
    resolve_template,
    select_for_arc,
)

router = APIGatewayHttpRouter()
TEMPLATES = "/api/templates"
TAGS = ["Templates"]


@router.get(TEMPLATES, tags=TAGS)
def list_templates(is_active: IsActive = "true") -> TemplateList:
    """List the prompt templates."""
    templates = service(router, ScaffoldingEditor).catalog().all(owner_of(router), PromptTemplate)
    found = tuple(TemplateView.from_domain(one) for one in with_activity(templates, is_active))
    return TemplateList(templates=found, count=len(found))


@router.post(TEMPLATES, status_code=201, tags=TAGS)
def create_template(content: PromptTemplateContent) -> TemplateResponse:
    """Create a prompt template under a name that is free."""
    template = service(router, ScaffoldingEditor).create(owner_of(router), PromptTemplate, content)
    return TemplateResponse.from_domain(template)


@router.get(f"{TEMPLATES}/select", tags=TAGS)
def rank_templates(
    emotional_arc_type: Annotated[Identifier, Query()],
    tier: Annotated[Tier | None, Query()] = None,
    persona_type: Filter = None,
    topic_key: Filter = None,
) -> RankedTemplateList:
    """Rank the templates of an arc, best first."""
    wanted = TemplateCriteria(emotional_arc_type, tier, persona_type, topic_key)
    catalog = service(router, ScaffoldingEditor).catalog()
    return RankedTemplateList.from_domain(rank_for_arc(catalog, owner_of(router), wanted))


@router.post(f"{TEMPLATES}/select", tags=TAGS)
def select_template(chosen: SelectTemplateRequest) -> TemplateResponse:
    """Choose a template as a batch would."""
    wanted = TemplateCriteria(
        chosen.emotional_arc_type, chosen.tier, chosen.persona_type, chosen.topic_key
    )
    catalog = service(router, ScaffoldingEditor).catalog()
    return TemplateResponse.from_domain(select_for_arc(catalog, owner_of(router), wanted))


@router.get(f"{TEMPLATES}/<record_id>", tags=TAGS)
def show_template(record_id: RecordName) -> TemplateResponse:
    """Show a prompt template."""
    return TemplateResponse.from_domain(
        service(router, ScaffoldingEditor).catalog().template(owner_of(router), record_id)
    )


@router.patch(f"{TEMPLATES}/<record_id>", tags=TAGS)
def edit_template(
    record_id: RecordName, changes: TemplateChanges, if_match: IfMatch = None
) -> TemplateResponse:
    """Change fields of a prompt template."""
    owner, seen = owner_of(router), seen_version(if_match)
    edited = service(router, ScaffoldingEditor).edit(
        owner, PromptTemplate, record_id, changes.given(), seen
    )
    return TemplateResponse.from_domain(edited)


@router.delete(f"{TEMPLATES}/<record_id>", tags=TAGS)
def deactivate_template(record_id: RecordName) -> TemplateResponse:
    """Deactivate a prompt template."""
    gone = service(router, ScaffoldingEditor).deactivate(
        owner_of(router), PromptTemplate, record_id
    )
    return TemplateResponse.from_domain(gone)


@router.post(f"{TEMPLATES}/<record_id>/resolve", tags=TAGS)
def resolve(record_id: RecordName, chosen: CombinationRequest) -> ResolvedTemplate:
    """Show the prompt that a template makes of a persona, an arc and a topic."""
    catalog, combination = (
        service(router, ScaffoldingEditor).catalog(),
        Combination(**chosen.model_dump()),
    )
    prompt = resolve_template(catalog, owner_of(router), record_id, combination)
    return ResolvedTemplate(
        prompt=prompt.user, system_prompt=prompt.system, length=len(prompt.user)
    )
