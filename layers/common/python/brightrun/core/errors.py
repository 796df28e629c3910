"""The exceptions of the product; http/problems.py maps them to HTTP.

BrightRunError
├── NotFoundError                     no such record of this owner
│   └── UnknownScaffoldingError       no persona, arc, topic or template by that id or key
├── InvalidInputError                 the request cannot be carried out as asked
│   ├── UnresolvedPlaceholderError    a placeholder has no value
│   ├── TemplateSyntaxError           unbalanced braces in a template
│   ├── TemplateTooLongError          the resolved prompt is over its limit
│   ├── NoTemplateForArcError         no active template serves the arc
│   ├── UnplannableBatchError         several of those at once
│   ├── BatchTooLargeError            more items than one job may have
│   ├── RecordTooLargeError           a record over the 400 KB of a row
│   ├── InvalidCursorError            a cursor that this list did not return
│   ├── UnusableModelError            a retired or unknown Claude model
│   ├── ActionNotAllowedError         the job's status does not allow the action
│   ├── EnrichmentFailedError         a stage of the enrichment failed
│   ├── NotEnrichedError              there is no enriched file yet
│   ├── InvalidTurnError              an edit of a turn that does not exist, or a bad text
│   ├── UnfitConversationsError       conversations that cannot go into a training file
│   ├── TrainingFileFullError         the training file is at its size or version limit
│   ├── UnknownBaseModelError         no base model has that key
│   └── UntrainableGpuError           a GPU type that has estimates, but no training
├── ConflictError                     the record is not in the state that the request needs
│   ├── VersionConflictError          the record changed since it was read
│   ├── DuplicateKeyError             the key is taken
│   ├── BuildInProgressError          another version of the training file is being built
│   ├── DatasetInUseError             active training jobs use the dataset
│   ├── UploadMissingError            the dataset's file, or a part of it, was not uploaded
│   ├── UploadSizeError               the uploaded file is not of the declared size
│   ├── ObjectChangedError            the object was replaced after it was validated
│   ├── DatasetNotReadyError          the dataset cannot be trained on now
│   ├── RequestInProgressError        the first request with this Idempotency-Key still runs
│   ├── BeingJudgedError              another job judges the conversation now
│   ├── TokenizerMissingError         the base model's tokenizer is not in the bucket
│   ├── UntrainableError              the trainer would reject the dataset or the base model
│   ├── UncountableError              one conversation is too large to be counted in a request
│   ├── QuotaTooLowError              the account may not run as many instances as the job needs
│   ├── BudgetExceededError           what is left of a budget is less (core/budgets.py)
│   └── JobEndedError                 the training job has already ended
├── IdempotencyKeyReusedError         the same Idempotency-Key with a different request
├── LeaseLostError                    the item is no longer leased to this worker
├── ClaimsClosedError                 the job is paused, cancelled or ended
├── ConversationRefusedError          Claude's answer is not a usable conversation
├── ClaudeCallError                   the call to Claude failed
├── ClaudeNotSetUpError               the deployment has no Claude API key
├── NoCapacityError                   SageMaker has no instance, or the account no quota
├── TrainingRequestError              SageMaker rejected the job; retrying does not help
├── UnusableAdapterError              the training output is not a valid adapter
└── StorageError                      a call to an AWS service failed
    └── ContentionError               other requests write the same records at the same time
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

_FAULTS_IN_A_MESSAGE = 10
"""Faults that a message names; details list all."""


class BrightRunError(Exception):
    """The base of all errors: a message, a stable `code` for programs, and JSON details.

    `retry_after_s`: the seconds after which the same request can succeed; None if it cannot.
    """

    code = "error"
    retry_after_s: float | None = None

    def __init__(self, message: str, *, details: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details

    @property
    def subject(self) -> str:
        """The kind of record that the error is about, where `details` name it, else its code."""
        named = isinstance(self.details, Mapping) and self.details.get("kind")
        return str(named or self.code)


class NotFoundError(BrightRunError):
    """The owner has no such record; another owner's record gives the same error."""

    code = "not_found"

    def __init__(self, kind: str, identifier: str) -> None:
        super().__init__(f"There is no {kind} with the id '{identifier}'.")
        self.kind = kind
        self.identifier = identifier


class UnknownScaffoldingError(NotFoundError):
    """No persona, arc, topic or template has that id or key; `details` hold near matches."""

    code = "unknown_scaffolding"

    def __init__(self, kind: str, value: str, near_matches: Sequence[str] = ()) -> None:
        super().__init__(kind, value)
        hint = f" Did you mean {', '.join(near_matches)}?" if near_matches else ""
        self.message = f"There is no {kind} with the id or key '{value}'.{hint}"
        self.args = (self.message,)
        self.details = {"kind": kind, "value": value, "near_matches": list(near_matches)}


class InvalidInputError(BrightRunError):
    """The request is well formed, but cannot be fulfilled."""

    code = "invalid_input"

    @classmethod
    def of_field(cls, field: str, message: str) -> Self:
        """The error of one field, named in the message and in `details`."""
        return cls(f"{field}: {message}", details=[{"field": field, "message": message}])


class RecordTooLargeError(InvalidInputError):
    """The texts of a record together are over the limit of a row."""

    code = "record_too_large"

    def __init__(self) -> None:
        super().__init__("The record would have more than 400 KB; shorten its texts.")


class ConflictError(BrightRunError):
    """The record is not in the state that the request needs; `details` hold its current state."""

    code = "conflict"


class IdempotencyKeyReusedError(BrightRunError):
    """The Idempotency-Key was used with a different request before."""

    code = "idempotency_key_reused"


class StorageError(BrightRunError):
    """A call to an AWS service failed; the cause is chained."""

    code = "storage_unavailable"

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(f"{operation} failed: {reason}.")
        self.details: Mapping[str, str] = {"operation": operation}


class ContentionError(StorageError):
    """Other requests write the same records at the same time: no failure of a service."""

    code = "contention"
    retry_after_s = 1

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(operation, reason)
        self.message = "Other requests change the same records now; try again in a moment."


class RequestInProgressError(ConflictError):
    """The first request with this Idempotency-Key may still be storing its job."""

    code = "request_in_progress"
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__(
            "An earlier request with this Idempotency-Key is still in progress; repeat the request "
            "in a moment to get its answer."
        )


class BeingJudgedError(ConflictError):
    """Another job judges the conversation now; `details` name both."""

    code = "being_judged"
    retry_after_s = 30

    def __init__(self, conversation_id: str, job_id: str) -> None:
        super().__init__(
            f"The job '{job_id}' judges the conversation '{conversation_id}' now. Wait until the "
            "job has ended, or leave the conversation out.",
            details={"conversation_id": conversation_id, "job_id": job_id},
        )


class VersionConflictError(ConflictError):
    """The record changed since the caller read it."""

    code = "version_conflict"


class DuplicateKeyError(ConflictError):
    """The key is already taken by another record of this owner."""

    code = "duplicate_key"


class BuildInProgressError(ConflictError):
    """Another version of the training file is being built; `details` hold its state."""

    code = "build_in_progress"
    retry_after_s = 30


class DatasetInUseError(ConflictError):
    """Training jobs that have not ended use the dataset; `details` hold their number."""

    code = "dataset_in_use"


class UploadMissingError(ConflictError):
    """The dataset's file was not uploaded; `details` list the missing parts, if any."""

    code = "upload_missing"


class UploadSizeError(ConflictError):
    """The uploaded file is not of the declared size; `details` hold both sizes, in bytes."""

    code = "upload_size"


class ObjectChangedError(ConflictError):
    """The object was overwritten or deleted since its ETag was recorded."""

    code = "object_changed"


class LeaseLostError(BrightRunError):
    """The item is leased to another worker, or has ended."""

    code = "lease_lost"


class ClaimsClosedError(BrightRunError):
    """The job accepts no claims: it is paused, cancelled, finished or stopping."""

    code = "claims_closed"


class CapReachedError(BrightRunError):
    """The job's cap pays for no further item while those in progress may cost their most."""

    code = "cap_reached"


class ConversationRefusedError(BrightRunError):
    """Claude's answer cannot be stored as a conversation.

    `failure_type` is as in the failed-generation records; `pattern` names that of a truncation. The
    message can quote the answer, and is stored in rows: it is cut at `longest` characters.
    """

    code = "conversation_refused"
    longest = 1000

    def __init__(
        self, failure_type: str, reason: str, message: str, *, pattern: str | None = None
    ) -> None:
        super().__init__(message[: self.longest], details={"reason": reason})
        self.failure_type = failure_type
        self.reason = reason
        self.pattern = pattern


class ClaudeCallError(BrightRunError):
    """The call to Claude failed.

    `retryable`: trying again may help. `overloaded`: the whole service is busy, so that no worker
    should call before `retry_after_s`. `fatal`: no call of this job can succeed (key, billing or
    model). `maybe_billed`: the call was answered, so that it is repeated once only.
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
        maybe_billed: bool = False,
    ) -> None:
        super().__init__(message, details={"reason": reason, "status": status})
        self.reason = reason
        self.status = status
        self.retryable = retryable
        self.overloaded = overloaded
        self.fatal = fatal
        self.retry_after_s = retry_after_s
        self.maybe_billed = maybe_billed


class ClaudeNotSetUpError(BrightRunError):
    """The deployment has no Claude API key; the message explains where to put it."""

    code = "claude_not_set_up"


class UnresolvedPlaceholderError(InvalidInputError):
    """A template has placeholders without a value."""

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
    """The resolved prompt is over its limit."""

    code = "template_too_long"


class NoTemplateForArcError(InvalidInputError):
    """No active prompt template serves the emotional arc."""

    code = "no_template_for_arc"


class BatchTooLargeError(InvalidInputError):
    """The request asks for more items than one job may have."""

    code = "batch_too_large"


class UnplannableBatchError(InvalidInputError):
    """Several things that a batch needs are missing or unusable; `details` list each of them."""

    code = "unplannable_batch"

    def __init__(self, faults: Sequence[BrightRunError]) -> None:
        named = " ".join(fault.message for fault in faults[:_FAULTS_IN_A_MESSAGE])
        more = len(faults) - _FAULTS_IN_A_MESSAGE
        super().__init__(
            f"The batch cannot be planned. {named}" + (f" And {more} more." if more > 0 else ""),
            details=[
                {"field": fault.subject, "message": fault.message, "code": fault.code}
                for fault in faults
            ],
        )


class InvalidCursorError(InvalidInputError):
    """The cursor is not one that this list returned."""

    code = "invalid_cursor"


class UnusableModelError(InvalidInputError):
    """The Claude model is unknown, or has been retired."""

    code = "unusable_model"


class ActionNotAllowedError(InvalidInputError):
    """The job's status does not allow the action; `details` hold its current state."""

    code = "action_not_allowed"


class EnrichmentFailedError(InvalidInputError):
    """A stage of the enrichment failed; `details` hold the completed stages and the report."""

    code = "enrichment_failed"


class NotEnrichedError(InvalidInputError):
    """The conversation has no enriched file; `details` hold its enrichment status."""

    code = "not_enriched"


class InvalidTurnError(InvalidInputError):
    """An edit names a turn that does not exist, or a text that no turn may have."""

    code = "invalid_turn"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, details=[{"field": field, "message": message}])


class TooManyConversationsError(InvalidInputError):
    """More conversations match than a training file can hold."""

    code = "too_many_conversations"


class UnfitConversationsError(InvalidInputError):
    """Conversations cannot be added to a training file; `details` list all of them by reason."""

    code = "unfit_conversations"


class TrainingFileFullError(InvalidInputError):
    """The training file is at the limit of its size or of its number of versions."""

    code = "training_file_full"


class UnknownBaseModelError(InvalidInputError):
    """No base model has that key; the message lists the known ones."""

    code = "unknown_base_model"

    def __init__(self, key: str, known: Sequence[str]) -> None:
        message = f"'{key}' is not known; use one of {', '.join(known)}."
        super().__init__(
            f"base_model: {message}", details=[{"field": "base_model", "message": message}]
        )


class UntrainableGpuError(InvalidInputError):
    """The GPU type has estimates, but cannot be trained on."""

    code = "untrainable_gpu"

    def __init__(self, gpu_type: str, reason: str) -> None:
        super().__init__(
            f"gpu_config.type: {gpu_type}: {reason}",
            details=[{"field": "gpu_config.type", "message": reason}],
        )


class QuotaTooLowError(ConflictError):
    """The account's quota is below the instances of the job, which could never start."""

    code = "quota_too_low"

    def __init__(self, quota: str, allowed: int, needed: int) -> None:
        super().__init__(
            f"It needs {needed} at once; the AWS account's quota '{quota}' allows {allowed}. Let "
            "the operator raise it in the AWS console (Service Quotas, Amazon SageMaker).",
            details={"quota": quota, "allowed": allowed, "needed": needed},
        )


class DatasetNotReadyError(ConflictError):
    """The dataset cannot be trained on now; `details` hold its state."""

    code = "dataset_not_ready"


class TokenizerMissingError(ConflictError):
    """The base model's tokenizer is not in the bucket of base models."""

    code = "tokenizer_missing"


class UntrainableError(ConflictError):
    """The trainer would reject the dataset's rows or the base model's chat template."""

    code = "untrainable"


class UncountableError(ConflictError):
    """A conversation is too large to be counted here; that says nothing about training on it."""

    code = "uncountable"


class JobEndedError(ConflictError):
    """The training job has already ended; `details` hold its state."""

    code = "job_ended"


class NoCapacityError(BrightRunError):
    """SageMaker has no instance for the job, or the account no quota; retry later."""

    code = "no_capacity"


class TrainingRequestError(BrightRunError):
    """SageMaker rejected the request for a training job; retrying does not help."""

    code = "training_request_refused"


class UnusableAdapterError(BrightRunError):
    """The output of a training job is not an adapter that can be delivered."""

    code = "unusable_adapter"
