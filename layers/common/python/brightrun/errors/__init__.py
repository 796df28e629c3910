"""Every failure of the domain, in one tree; api/problems.py maps it to HTTP.

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
│   └── TrainingFileFullError         the training file can take no more
├── ConflictError                     somebody else was first; carries the current state
│   ├── VersionConflictError          the record changed since it was read
│   ├── DuplicateKeyError             the key is taken
│   ├── DatasetInUseError             training jobs use the dataset, so that it cannot be deleted
│   ├── UploadMissingError            the dataset's file has not arrived, or not all of its parts
│   ├── UploadSizeError               the file that arrived is of another size than was declared
│   └── ObjectChangedError            the object is not the one any more that was meant
├── IdempotencyKeyReusedError         the same Idempotency-Key with another body
├── LeaseLostError                    the item is no longer this worker's
├── ClaimsClosedError                 the job takes no claims now (paused, cancelled, stopped)
├── ConversationRefusedError          Claude's answer is not a usable conversation
├── ClaudeCallError                   the call to Claude failed
├── ClaudeNotSetUpError               the deployment lacks what calling Claude takes
└── StorageError                      DynamoDB, S3 or Step Functions did not answer as agreed
"""

from brightrun.errors.base import (
    BrightRunError,
    ConflictError,
    IdempotencyKeyReusedError,
    InvalidInputError,
    NotFoundError,
    StorageError,
    UnknownScaffoldingError,
)
from brightrun.errors.conflicts import (
    DatasetInUseError,
    DuplicateKeyError,
    ObjectChangedError,
    UploadMissingError,
    UploadSizeError,
    VersionConflictError,
)
from brightrun.errors.generation import (
    ClaimsClosedError,
    ClaudeCallError,
    ClaudeNotSetUpError,
    ConversationRefusedError,
    LeaseLostError,
)
from brightrun.errors.requests import (
    ActionNotAllowedError,
    BatchTooLargeError,
    EnrichmentFailedError,
    InvalidCursorError,
    InvalidTurnError,
    NoTemplateForArcError,
    NotEnrichedError,
    TemplateSyntaxError,
    TemplateTooLongError,
    TooManyConversationsError,
    TrainingFileFullError,
    UnfitConversationsError,
    UnresolvedPlaceholderError,
    UnusableModelError,
)

__all__ = [
    "ActionNotAllowedError",
    "BatchTooLargeError",
    "BrightRunError",
    "ClaimsClosedError",
    "ClaudeCallError",
    "ClaudeNotSetUpError",
    "ConflictError",
    "ConversationRefusedError",
    "DatasetInUseError",
    "DuplicateKeyError",
    "EnrichmentFailedError",
    "IdempotencyKeyReusedError",
    "InvalidCursorError",
    "InvalidInputError",
    "InvalidTurnError",
    "LeaseLostError",
    "NoTemplateForArcError",
    "NotEnrichedError",
    "NotFoundError",
    "ObjectChangedError",
    "StorageError",
    "TemplateSyntaxError",
    "TemplateTooLongError",
    "TooManyConversationsError",
    "TrainingFileFullError",
    "UnfitConversationsError",
    "UnknownScaffoldingError",
    "UnresolvedPlaceholderError",
    "UnusableModelError",
    "UploadMissingError",
    "UploadSizeError",
    "VersionConflictError",
]
