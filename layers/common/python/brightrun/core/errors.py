"""Every failure of the product, in one tree; http/problems.py maps it to HTTP.

BrightRunError
├── NotFoundError                     a record that is not there, or is another owner's
│   └── UnknownScaffoldingError       no persona, arc, topic or template by that id or key
├── InvalidInputError                 the request cannot be carried out as asked
│   ├── UnresolvedPlaceholderError    a template asks for what nobody supplies
│   ├── TemplateSyntaxError           unbalanced braces in a template
│   ├── TemplateTooLongError          the resolved prompt is over its bound
│   ├── NoTemplateForArcError         no active template serves the arc
│   ├── BatchTooLargeError            more items than one job takes
│   ├── InvalidCursorError            a page cursor that was not ours, or another list's
│   ├── UnusableModelError            a retired or unknown Claude model
│   ├── ActionNotAllowedError         the job's status does not allow the action
│   ├── EnrichmentFailedError         a stage of the enrichment failed; the row says which
│   ├── NotEnrichedError              there is no enriched file yet
│   ├── InvalidTurnError              an edit that names no turn, or whose text is none
│   ├── TooManyConversationsError     more match than one request sorts, counts or changes
│   ├── UnfitConversationsError       conversations that cannot go into a training file
│   ├── TrainingFileFullError         the training file can take no more
│   ├── UnknownBaseModelError         no base model of the registry has that key
│   └── UntrainableGpuError           a GPU type that is estimated, never trained on
├── ConflictError                     somebody else was first; carries the current state
│   ├── VersionConflictError          the record changed since it was read
│   ├── DuplicateKeyError             the key is taken
│   ├── DatasetInUseError             training jobs use the dataset, so that it cannot be deleted
│   ├── UploadMissingError            the dataset's file has not arrived, or not all of its parts
│   ├── UploadSizeError               the file that arrived is of another size than was declared
│   ├── ObjectChangedError            the object was replaced after it was validated
│   ├── DatasetNotReadyError          the dataset cannot be trained on, or not yet
│   ├── TokenizerMissingError         the base model's tokenizer was not put where it belongs
│   ├── UntrainableError              the trainer would refuse the dataset or the base model
│   └── JobEndedError                 the training job has ended; nothing can be done to it
├── IdempotencyKeyReusedError         the same Idempotency-Key with another body
├── LeaseLostError                    the item is no longer this worker's
├── ClaimsClosedError                 the job takes no claims now (paused, cancelled, stopped)
├── ConversationRefusedError          Claude's answer is not a usable conversation
├── ClaudeCallError                   the call to Claude failed
├── ClaudeNotSetUpError               the deployment lacks what calling Claude takes
├── NoCapacityError                   SageMaker has no instance for the job, or no quota; wait
├── TrainingRequestError              SageMaker refuses the job for good
├── UnusableAdapterError              what the training left is no adapter that can be delivered
└── StorageError                      DynamoDB, S3 or Step Functions did not answer as agreed
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self


class BrightRunError(Exception):
    """A failure with a sentence for people, a stable code for machines, and details."""

    code = "error"

    def __init__(self, message: str, *, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFoundError(BrightRunError):
    """The record does not exist for this owner; says the same when it is another owner's."""

    code = "not_found"

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"There is no {kind} with the id '{identifier}'.")
        self.kind = kind
        self.identifier = identifier


class UnknownScaffoldingError(NotFoundError):
    """No persona, arc, topic or template by that id or key; names near matches."""

    code = "unknown_scaffolding"

    def __init__(self, kind: str, value: str, near_matches: Sequence[str] = ()) -> None:
        super().__init__(kind, value)
        hint = f" Did you mean {', '.join(near_matches)}?" if near_matches else ""
        self.message = f"There is no {kind} with the id or key '{value}'.{hint}"
        self.args = (self.message,)
        self.details = {"kind": kind, "value": value, "near_matches": list(near_matches)}


class InvalidInputError(BrightRunError):
    """The request is well formed but cannot be carried out as asked."""

    code = "invalid_input"

    @classmethod
    def of_field(cls, field: str, message: str) -> Self:
        """The error of one field, named in the message and in `details`."""
        return cls(f"{field}: {message}", details=[{"field": field, "message": message}])


class ConflictError(BrightRunError):
    """Somebody else was first; `details` carry the current state of the record."""

    code = "conflict"


class IdempotencyKeyReusedError(BrightRunError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"


class StorageError(BrightRunError):
    """An AWS service behind a repository or gateway failed; the cause is chained."""

    code = "storage_unavailable"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation} failed: {reason}.")
        self.details: Mapping[str, str] = {"operation": operation}


class VersionConflictError(ConflictError):
    """The record changed since the caller read it."""

    code = "version_conflict"


class DuplicateKeyError(ConflictError):
    """The key is already taken by another record of this owner."""

    code = "duplicate_key"


class DatasetInUseError(ConflictError):
    """Training jobs that have not ended use the dataset; details say how many."""

    code = "dataset_in_use"


class UploadMissingError(ConflictError):
    """The dataset's file has not arrived; details name the parts that are missing, if any."""

    code = "upload_missing"


class UploadSizeError(ConflictError):
    """The file that arrived is of another size than was declared; details carry both, in bytes."""

    code = "upload_size"


class ObjectChangedError(ConflictError):
    """The object was overwritten or deleted since its ETag was written down."""

    code = "object_changed"


class LeaseLostError(BrightRunError):
    """The item's lease has passed to another worker, or the item has ended."""

    code = "lease_lost"


class ClaimsClosedError(BrightRunError):
    """The job takes no claims now: it is paused, cancelled, finished or stopping."""

    code = "claims_closed"


class ConversationRefusedError(BrightRunError):
    """Claude's answer cannot be stored as a conversation.

    `failure_type` is truncation, parse_error or validation_error, as in the failed-generation
    records; `reason` is the named reason; `pattern` names the truncation pattern, if any.
    """

    code = "conversation_refused"

    def __init__(
        self, failure_type: str, reason: str, message: str, *, pattern: str | None = None
    ) -> None:
        super().__init__(message, details={"reason": reason})
        self.failure_type = failure_type
        self.reason = reason
        self.pattern = pattern


class ClaudeCallError(BrightRunError):
    """The call to Claude failed.

    `retryable`: trying again may help. `overloaded`: the whole service is busy, so nobody should
    call before `retry_after_s`. `fatal`: no call of this job can succeed (key, billing, model).
    """

    code = "claude_call_failed"

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        overloaded: bool = False,
        fatal: bool = False,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, details={"reason": reason, "status": status})
        self.reason = reason
        self.status = status
        self.retryable = retryable
        self.overloaded = overloaded
        self.fatal = fatal
        self.retry_after_s = retry_after_s


class ClaudeNotSetUpError(BrightRunError):
    """The deployment lacks what calling Claude takes; the message says what, and where it goes."""

    code = "claude_not_set_up"


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


class UnknownBaseModelError(InvalidInputError):
    """No base model of the registry has that key; names those there are."""

    code = "unknown_base_model"

    def __init__(self, key: str, known: Sequence[str]) -> None:
        message = f"'{key}' is not known; use one of {', '.join(known)}."
        super().__init__(
            f"base_model: {message}", details=[{"field": "base_model", "message": message}]
        )


class UntrainableGpuError(InvalidInputError):
    """A GPU type that a job can be estimated for, but not trained on; says why."""

    code = "untrainable_gpu"

    def __init__(self, gpu_type: str, reason: str) -> None:
        super().__init__(
            f"gpu_config.type: {gpu_type}: {reason}",
            details=[{"field": "gpu_config.type", "message": reason}],
        )


class DatasetNotReadyError(ConflictError):
    """The dataset cannot be trained on now; details carry its state."""

    code = "dataset_not_ready"


class TokenizerMissingError(ConflictError):
    """The base model's tokenizer is not in the bucket of base models; says how to put it there."""

    code = "tokenizer_missing"


class UntrainableError(ConflictError):
    """The trainer would refuse the dataset's rows, or the base model's chat template; says why."""

    code = "untrainable"


class JobEndedError(ConflictError):
    """The training job has ended, so that its status stays; details carry its state."""

    code = "job_ended"


class NoCapacityError(BrightRunError):
    """SageMaker has no instance for the job now, or the account no quota; waiting helps."""

    code = "no_capacity"


class TrainingRequestError(BrightRunError):
    """SageMaker refuses the training job as it was asked for; trying again does not help."""

    code = "training_request_refused"


class UnusableAdapterError(BrightRunError):
    """What a training job left is not an adapter that can be delivered; says what is wrong."""

    code = "unusable_adapter"
