"""Routes under /api/scaffolding: personas, emotional arcs, topics, consultant, compatibility."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query

from brightrun.api import scaffolding_models as models
from brightrun.api.app import owner_of
from brightrun.domain.scaffolding import (
    Complexity,
    ConsultantContent,
    EmotionalArc,
    EmotionalArcContent,
    Persona,
    PersonaContent,
    R,
    TrainingTopic,
    TrainingTopicContent,
)
from brightrun.errors import InvalidInputError
from brightrun.services.manage_scaffolding import ScaffoldingEditor
from brightrun.services.try_scaffolding import Combination, rate_combination

Service = Callable[[], ScaffoldingEditor]
RecordId = Annotated[str, Path(min_length=1, max_length=150, description="The id or the key.")]
IsActive = Annotated[Literal["true", "false", "all"], Query()]
IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=20, description="The version that the caller has seen."),
]


def add_scaffolding_routes(api: APIGatewayHttpResolver, service: Service) -> None:
    """Add every route under /api/scaffolding."""
    _add_personas(api, service)
    _add_emotional_arcs(api, service)
    _add_training_topics(api, service)
    _add_consultant(api, service)
    _add_compatibility(api, service)


def seen_version(if_match: str | None) -> int | None:
    """Read the version of an If-Match header, with or without quotes; None for none.

    Raises InvalidInputError.
    """
    if if_match is None:
        return None
    version = if_match.strip().strip('"')
    if not (version.isascii() and version.isdigit()):
        raise InvalidInputError(
            f"If-Match must be the version number of the record, such as 3; it is '{if_match}'."
        )
    return int(version)


def with_activity(records: Iterable[R], is_active: str) -> tuple[R, ...]:
    """Keep the records that are active, inactive, or all of them."""
    return tuple(
        one for one in records if is_active == "all" or one.is_active is (is_active == "true")
    )


def _add_personas(api: APIGatewayHttpResolver, service: Service) -> None:
    path = "/api/scaffolding/personas"

    @api.get(path)
    def list_personas(is_active: IsActive = "true") -> models.PersonaList:
        found = with_activity(service().catalog().all(owner_of(api), Persona), is_active)
        return models.PersonaList(personas=found, count=len(found))

    @api.post(path, status_code=HTTPStatus.CREATED)
    def create_persona(content: PersonaContent) -> models.PersonaAnswer:
        persona = service().create(owner_of(api), Persona, content)
        return models.PersonaAnswer(persona=persona)

    @api.get(f"{path}/<record_id>")
    def read_persona(record_id: RecordId) -> models.PersonaAnswer:
        persona = service().catalog().persona(owner_of(api), record_id)
        return models.PersonaAnswer(persona=persona)

    @api.patch(f"{path}/<record_id>")
    def edit_persona(
        record_id: RecordId, changes: models.PersonaChanges, if_match: IfMatch = None
    ) -> models.PersonaAnswer:
        fields = changes.model_dump(exclude_unset=True)
        seen = seen_version(if_match)
        persona = service().edit(owner_of(api), Persona, record_id, fields, seen)
        return models.PersonaAnswer(persona=persona)

    @api.delete(f"{path}/<record_id>")
    def deactivate_persona(record_id: RecordId) -> models.PersonaAnswer:
        persona = service().deactivate(owner_of(api), Persona, record_id)
        return models.PersonaAnswer(persona=persona)


def _add_emotional_arcs(api: APIGatewayHttpResolver, service: Service) -> None:
    path = "/api/scaffolding/emotional-arcs"

    @api.get(path)
    def list_emotional_arcs(is_active: IsActive = "true") -> models.EmotionalArcList:
        found = with_activity(service().catalog().all(owner_of(api), EmotionalArc), is_active)
        return models.EmotionalArcList(emotional_arcs=found, count=len(found))

    @api.post(path, status_code=HTTPStatus.CREATED)
    def create_emotional_arc(content: EmotionalArcContent) -> models.EmotionalArcAnswer:
        arc = service().create(owner_of(api), EmotionalArc, content)
        return models.EmotionalArcAnswer(emotional_arc=arc)

    @api.get(f"{path}/<record_id>")
    def read_emotional_arc(record_id: RecordId) -> models.EmotionalArcAnswer:
        arc = service().catalog().emotional_arc(owner_of(api), record_id)
        return models.EmotionalArcAnswer(emotional_arc=arc)

    @api.patch(f"{path}/<record_id>")
    def edit_emotional_arc(
        record_id: RecordId, changes: models.EmotionalArcChanges, if_match: IfMatch = None
    ) -> models.EmotionalArcAnswer:
        fields = changes.model_dump(exclude_unset=True)
        seen = seen_version(if_match)
        arc = service().edit(owner_of(api), EmotionalArc, record_id, fields, seen)
        return models.EmotionalArcAnswer(emotional_arc=arc)

    @api.delete(f"{path}/<record_id>")
    def deactivate_emotional_arc(record_id: RecordId) -> models.EmotionalArcAnswer:
        arc = service().deactivate(owner_of(api), EmotionalArc, record_id)
        return models.EmotionalArcAnswer(emotional_arc=arc)


def _add_training_topics(api: APIGatewayHttpResolver, service: Service) -> None:
    path = "/api/scaffolding/training-topics"

    @api.get(path)
    def list_training_topics(
        is_active: IsActive = "true",
        complexity_level: Annotated[Complexity | None, Query()] = None,
        category: Annotated[str | None, Query(max_length=100)] = None,
    ) -> models.TrainingTopicList:
        topics = with_activity(service().catalog().all(owner_of(api), TrainingTopic), is_active)
        found = tuple(
            topic
            for topic in topics
            if complexity_level in {None, topic.complexity_level}
            and category in {None, topic.category}
        )
        return models.TrainingTopicList(training_topics=found, count=len(found))

    @api.post(path, status_code=HTTPStatus.CREATED)
    def create_training_topic(content: TrainingTopicContent) -> models.TrainingTopicAnswer:
        topic = service().create(owner_of(api), TrainingTopic, content)
        return models.TrainingTopicAnswer(training_topic=topic)

    @api.get(f"{path}/<record_id>")
    def read_training_topic(record_id: RecordId) -> models.TrainingTopicAnswer:
        topic = service().catalog().training_topic(owner_of(api), record_id)
        return models.TrainingTopicAnswer(training_topic=topic)

    @api.patch(f"{path}/<record_id>")
    def edit_training_topic(
        record_id: RecordId, changes: models.TrainingTopicChanges, if_match: IfMatch = None
    ) -> models.TrainingTopicAnswer:
        fields = changes.model_dump(exclude_unset=True)
        seen = seen_version(if_match)
        topic = service().edit(owner_of(api), TrainingTopic, record_id, fields, seen)
        return models.TrainingTopicAnswer(training_topic=topic)

    @api.delete(f"{path}/<record_id>")
    def deactivate_training_topic(record_id: RecordId) -> models.TrainingTopicAnswer:
        topic = service().deactivate(owner_of(api), TrainingTopic, record_id)
        return models.TrainingTopicAnswer(training_topic=topic)


def _add_consultant(api: APIGatewayHttpResolver, service: Service) -> None:
    path = "/api/scaffolding/consultant"

    @api.get(path)
    def read_consultant() -> models.ConsultantAnswer:
        return models.ConsultantAnswer(consultant=service().catalog().consultant(owner_of(api)))

    @api.put(path)
    def put_consultant(
        content: ConsultantContent, if_match: IfMatch = None
    ) -> models.ConsultantAnswer:
        seen = seen_version(if_match)
        consultant = service().put_consultant(owner_of(api), content, seen)
        return models.ConsultantAnswer(consultant=consultant)


def _add_compatibility(api: APIGatewayHttpResolver, service: Service) -> None:
    @api.post("/api/scaffolding/check-compatibility")
    def check_compatibility(chosen: models.CombinationRequest) -> models.CompatibilityAnswer:
        combination = Combination(**chosen.model_dump())
        advice = rate_combination(service().catalog(), owner_of(api), combination)
        return models.CompatibilityAnswer(
            is_compatible=advice.is_compatible,
            confidence=advice.confidence,
            warnings=advice.warnings,
            suggestions=advice.suggestions,
        )
