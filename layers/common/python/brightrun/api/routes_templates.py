"""Routes under /api/templates: the prompt templates, trying them out and choosing among them."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun import bootstrap
from brightrun.api.app import owner_of
from brightrun.api.record_parameters import (
    IfMatch,
    IsActive,
    RecordName,
    seen_version,
    with_activity,
)
from brightrun.api.scaffolding_changes import TemplateChanges
from brightrun.api.shapes import Filter, Identifier
from brightrun.api.template_models import (
    CombinationRequest,
    RankedTemplateList,
    ResolvedTemplate,
    SelectTemplateRequest,
    TemplateAnswer,
    TemplateList,
    TemplateView,
)
from brightrun.domain.scaffolding import PromptTemplate, PromptTemplateContent, Tier
from brightrun.domain.template_selection import Wanted
from brightrun.services.try_scaffolding import (
    Combination,
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
    templates = bootstrap.scaffolding_editor().catalog().all(owner_of(router), PromptTemplate)
    found = tuple(TemplateView.of(one) for one in with_activity(templates, is_active))
    return TemplateList(templates=found, count=len(found))


@router.post(TEMPLATES, status_code=201, tags=TAGS)
def create_template(content: PromptTemplateContent) -> TemplateAnswer:
    """Create a prompt template under a name that is free."""
    template = bootstrap.scaffolding_editor().create(owner_of(router), PromptTemplate, content)
    return TemplateAnswer.of(template)


@router.get(f"{TEMPLATES}/select", tags=TAGS)
def rank_templates(
    emotional_arc_type: Annotated[Identifier, Query()],
    tier: Annotated[Tier | None, Query()] = None,
    persona_type: Filter = None,
    topic_key: Filter = None,
) -> RankedTemplateList:
    """Rank the templates of an arc, best first."""
    wanted = Wanted(emotional_arc_type, tier, persona_type, topic_key)
    catalog = bootstrap.scaffolding_editor().catalog()
    return RankedTemplateList.of(rank_for_arc(catalog, owner_of(router), wanted))


@router.post(f"{TEMPLATES}/select", tags=TAGS)
def select_template(chosen: SelectTemplateRequest) -> TemplateAnswer:
    """Choose a template as a batch would."""
    wanted = Wanted(chosen.emotional_arc_type, chosen.tier, chosen.persona_type, chosen.topic_key)
    catalog = bootstrap.scaffolding_editor().catalog()
    return TemplateAnswer.of(select_for_arc(catalog, owner_of(router), wanted))


@router.get(f"{TEMPLATES}/<record_id>", tags=TAGS)
def show_template(record_id: RecordName) -> TemplateAnswer:
    """Show a prompt template."""
    return TemplateAnswer.of(
        bootstrap.scaffolding_editor().catalog().template(owner_of(router), record_id)
    )


@router.patch(f"{TEMPLATES}/<record_id>", tags=TAGS)
def edit_template(
    record_id: RecordName, changes: TemplateChanges, if_match: IfMatch = None
) -> TemplateAnswer:
    """Change fields of a prompt template."""
    owner, seen = owner_of(router), seen_version(if_match)
    edited = bootstrap.scaffolding_editor().edit(
        owner, PromptTemplate, record_id, changes.given(), seen
    )
    return TemplateAnswer.of(edited)


@router.delete(f"{TEMPLATES}/<record_id>", tags=TAGS)
def deactivate_template(record_id: RecordName) -> TemplateAnswer:
    """Deactivate a prompt template."""
    gone = bootstrap.scaffolding_editor().deactivate(owner_of(router), PromptTemplate, record_id)
    return TemplateAnswer.of(gone)


@router.post(f"{TEMPLATES}/<record_id>/resolve", tags=TAGS)
def resolve(record_id: RecordName, chosen: CombinationRequest) -> ResolvedTemplate:
    """Show the prompt that a template makes of a persona, an arc and a topic."""
    catalog, combination = (
        bootstrap.scaffolding_editor().catalog(),
        Combination(**chosen.model_dump()),
    )
    prompt = resolve_template(catalog, owner_of(router), record_id, combination)
    return ResolvedTemplate(
        prompt=prompt.user, system_prompt=prompt.system, length=len(prompt.user)
    )
