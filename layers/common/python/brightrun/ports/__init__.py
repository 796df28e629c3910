"""The seams to the outside world: repositories/ and gateways/ implement them, tests fake them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from brightrun.ports.batches import BatchLists, BatchRepository, ClaimRepository, Outcome

if TYPE_CHECKING:
    from brightrun.domain.batch import BatchJob
    from brightrun.domain.claude import Completion
    from brightrun.domain.conversation_list import ConversationDigest, ConversationFilter
    from brightrun.domain.conversation_record import ConversationRecord
    from brightrun.domain.generation_records import FailedGeneration, GenerationLogEntry
    from brightrun.domain.moments import Days
    from brightrun.domain.pages import Page
    from brightrun.domain.prompt_assembly import Prompt
    from brightrun.domain.training_file import TrainingFile

__all__ = [
    "BatchLists",
    "BatchRepository",
    "ClaimRepository",
    "Claude",
    "Clock",
    "ConversationLists",
    "ConversationReads",
    "ConversationRepository",
    "ConversationWrites",
    "DownloadLinks",
    "GenerationReads",
    "GenerationRecords",
    "ObjectStore",
    "Outcome",
    "RequestKeys",
    "StoredText",
    "TrainingFileRepository",
    "Workflow",
]

Clock = Callable[[], datetime]
"""Says what time it is, in UTC; handed in, so that domain and services never read a clock."""


class GenerationRecords(Protocol):
    """The generation log and the failed generations."""

    def add_log_entry(self, entry: GenerationLogEntry) -> None:
        """Keep a call's log entry; writing it again changes nothing."""


class GenerationReads(Protocol):
    """Pages of the generation log and of the failed generations, newest first."""

    def log_entries(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[GenerationLogEntry]:
        """List calls to Claude."""

    def all_log_entries(self, owner_id: str) -> Iterable[GenerationLogEntry]:
        """Read every call of an owner, a page at a time."""

    def failure(self, owner_id: str, failure_id: str) -> FailedGeneration:
        """Read one failed generation; raises NotFoundError."""

    def failures(
        self,
        owner_id: str,
        filters: Mapping[str, str],
        days: Days,
        *,
        limit: int,
        cursor: str | None,
    ) -> Page[FailedGeneration]:
        """List failed generations of some days whose attributes equal the filters."""


class ConversationReads(Protocol):
    """Conversation rows."""

    def conversation(self, owner_id: str, conversation_id: str) -> ConversationRecord:
        """Read one conversation's row, strongly consistent; raises NotFoundError."""


class ConversationLists(ConversationReads, Protocol):
    """Lists of conversations."""

    def conversations(
        self,
        owner_id: str,
        wanted: ConversationFilter,
        *,
        limit: int,
        cursor: str | None,
        newest_first: bool = True,
    ) -> Page[ConversationRecord]:
        """List conversations by the moment of their creation."""

    def digests(self, owner_id: str, wanted: ConversationFilter) -> Iterable[ConversationDigest]:
        """Read all that match, newest first; the index may lag."""


class ConversationWrites(Protocol):
    """Changes to conversation rows; each states the version it was made from."""

    def add(self, record: ConversationRecord) -> None:
        """Store a new row; raises DuplicateKeyError."""

    def replace(self, record: ConversationRecord, seen_version: int) -> ConversationRecord:
        """Store a row in the place of the version that was seen; gives it with its new version.

        Raises VersionConflictError with the state stored now, or NotFoundError.
        """


class ConversationRepository(ConversationLists, ConversationWrites, Protocol):
    """Conversation rows, read and changed."""

    def unenriched(self, owner_id: str, job_id: str, since: str) -> list[ConversationRecord]:
        """The job's conversations, stored at or after a moment, that nobody has enriched yet."""


class TrainingFileRepository(Protocol):
    """Training files' rows; a name belongs to one file of an owner."""

    def add(self, file: TrainingFile) -> None:
        """Store a new row; raises DuplicateKeyError when the name is taken."""

    def name_is_free(self, owner_id: str, name: str) -> bool:
        """Say whether no file of the owner has this name, before anything is built under it."""

    def training_file(self, owner_id: str, file_id: str) -> TrainingFile:
        """Read one row, strongly consistent; raises NotFoundError."""

    def training_files(
        self, owner_id: str, *, limit: int, cursor: str | None
    ) -> Page[TrainingFile]:
        """List an owner's files, newest first."""

    def replace(self, file: TrainingFile, seen_version: int) -> None:
        """Store a row in the place of the version that was seen.

        Raises VersionConflictError with the state stored now.
        """


@dataclass(frozen=True, slots=True)
class StoredText:
    """An object's text with the small values kept beside it."""

    text: str
    metadata: dict[str, str] = field(default_factory=dict)


class ObjectStore(Protocol):
    """One bucket of objects."""

    def put(
        self, key: str, body: str, *, content_type: str, metadata: dict[str, str] | None = None
    ) -> int:
        """Store a text as UTF-8 and give its size in bytes."""

    def get(self, key: str) -> StoredText | None:
        """Read a text; None when there is no such object."""


LINK_SECONDS = 3600
"""How long a download link works: the original's hour."""


class DownloadLinks(Protocol):
    """Short-lived links to the objects of one bucket."""

    def link(self, key: str, filename: str) -> str:
        """Sign a link that downloads an object under a file name."""


class Claude(Protocol):
    """Somebody who answers prompts; the one seam to Claude."""

    async def write(self, prompt: Prompt, *, schema: dict[str, Any]) -> Completion:
        """Answer in JSON of the schema; raises ClaudeCallError."""

    async def close(self) -> None:
        """Give the connections back."""


class RequestKeys(Protocol):
    """Remembers which job an Idempotency-Key made."""

    def job_for(self, owner_id: str, key: str, fingerprint: str, job_id: str, now: datetime) -> str:
        """Give the job of an earlier request with this key, else bind the key to `job_id`.

        Raises IdempotencyKeyReusedError when the earlier request was another one.
        """

    def bind_anew(
        self, owner_id: str, key: str, fingerprint: str, job_id: str, given_up: str, now: datetime
    ) -> str:
        """Bind a key to `job_id` if it is still bound to the job `given_up`; give what it is then.

        For a request that died before its job was stored.
        """


class Workflow(Protocol):
    """Starts the state machine of a batch."""

    def ensure_running(self, job: BatchJob) -> None:
        """Start the job's current run; starting it again changes nothing."""
