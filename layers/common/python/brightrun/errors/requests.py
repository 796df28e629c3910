"""Requests that cannot be carried out as asked."""

from __future__ import annotations

from collections.abc import Sequence

from brightrun.errors.base import InvalidInputError


class UnresolvedPlaceholderError(InvalidInputError):
    """A template names placeholders that have no value; nothing was spent."""

    code = "unresolved_placeholder"

    def __init__(self, template: str, placeholders: Sequence[str]) -> None:
        names = ", ".join(f"{{{{{name}}}}}" for name in placeholders)
        super().__init__(
            f"The template '{template}' has placeholders without a value: {names}. "
            "Give the record they come from a value, or take them out of the template.",
            details={"template": template, "placeholders": list(placeholders)},
        )


class TemplateSyntaxError(InvalidInputError):
    """A template has unbalanced or malformed braces."""

    code = "template_syntax"


class TemplateTooLongError(InvalidInputError):
    """The resolved prompt is longer than its bound."""

    code = "template_too_long"


class NoTemplateForArcError(InvalidInputError):
    """No active prompt template serves the emotional arc."""

    code = "no_template_for_arc"


class BatchTooLargeError(InvalidInputError):
    """The request asks for more items than one job takes."""

    code = "batch_too_large"


class InvalidCursorError(InvalidInputError):
    """The page cursor is not one that this list gave out."""

    code = "invalid_cursor"


class UnusableModelError(InvalidInputError):
    """The Claude model is unknown, or has been retired."""

    code = "unusable_model"


class ActionNotAllowedError(InvalidInputError):
    """The job's status does not allow the action; details carry the current state."""

    code = "action_not_allowed"


class EnrichmentFailedError(InvalidInputError):
    """A stage of the enrichment failed; details carry how far it came, and the report."""

    code = "enrichment_failed"


class NotEnrichedError(InvalidInputError):
    """The conversation has no enriched file; details carry its enrichment's status."""

    code = "not_enriched"


class InvalidTurnError(InvalidInputError):
    """An edit names a turn that is not there, or a text that no turn may have."""

    code = "invalid_turn"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, details=[{"field": field, "message": message}])


class TooManyConversationsError(InvalidInputError):
    """More conversations match than one request sorts, counts or changes."""

    code = "too_many_conversations"


class UnfitConversationsError(InvalidInputError):
    """Conversations cannot go into a training file; details list every one, by the reason."""

    code = "unfit_conversations"


class TrainingFileFullError(InvalidInputError):
    """The training file has reached its size or its number of versions."""

    code = "training_file_full"
