"""The schemas of changes, which are made from the contents."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from brightrun.scaffolding import schemas
from brightrun.scaffolding.domain import installed_packs
from brightrun.scaffolding.model import (
    Content,
    EmotionalArcContent,
    PersonaContent,
    PromptTemplateContent,
    TrainingTopicContent,
)

KINDS: list[tuple[type[schemas.Changes], type[Content], str]] = [
    (schemas.PersonaChanges, PersonaContent, "persona_key"),
    (schemas.EmotionalArcChanges, EmotionalArcContent, "arc_key"),
    (schemas.TrainingTopicChanges, TrainingTopicContent, "topic_key"),
    (schemas.PromptTemplateChanges, PromptTemplateContent, "template_name"),
]


@pytest.mark.parametrize(("changes", "content", "key"), KINDS)
def test_every_field_but_the_key_and_the_domain_can_be_changed(
    changes: type[schemas.Changes], content: type[Content], key: str
) -> None:
    packs = installed_packs() if content is PersonaContent else ()
    of_domains = {field.name for pack in packs for field in pack.persona.fields}
    assert set(changes.model_fields) == set(content.model_fields) - {key, "domain"} | of_domains


@pytest.mark.parametrize(("changes", "content", "key"), KINDS)
def test_only_the_fields_that_were_sent_are_changes(
    changes: type[schemas.Changes], content: type[Content], key: str
) -> None:
    assert changes.model_validate({}).given() == {}
    assert changes.model_validate({"is_active": False}).given() == {"is_active": False}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        (schemas.PersonaChanges, {"persona_key": "another"}),
        (schemas.PersonaChanges, {"name": None}),
        (schemas.PersonaChanges, {"demographics": {"age": 5}}),
        (schemas.EmotionalArcChanges, {"starting_intensity_min": 1.1}),
        (schemas.TrainingTopicChanges, {"suitable_personas": ["Not a key"]}),
        (schemas.PromptTemplateChanges, {"is_active": "yes"}),
    ],
)
def test_a_change_is_checked_like_the_field_it_changes(
    changes: type[schemas.Changes], fields: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        changes.model_validate(fields)


def test_null_clears_a_field_that_may_be_null() -> None:
    changes = schemas.PromptTemplateChanges.model_validate({"rating": None})
    assert changes.given() == {"rating": None}
