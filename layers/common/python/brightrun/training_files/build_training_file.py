"""Creates training files and their versions: small ones at once, others in the background."""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from brightrun.aws.objects import discarded_if_lost
from brightrun.aws.request_keys import RequestKeys, request_has_ended
from brightrun.core.errors import (
    NotFoundError,
    RequestInProgressError,
    TrainingFileFullError,
    VersionConflictError,
)
from brightrun.core.ids import time_ordered_id
from brightrun.core.limits import MOST_VERSIONS
from brightrun.core.replays import note_replay
from brightrun.core.timestamps import Clock, iso
from brightrun.training_files.assemble_version import VersionAssembler
from brightrun.training_files.build_version import stored_keys, with_left_out
from brightrun.training_files.gateway import BuildWorkflow
from brightrun.training_files.model import (
    MOST_CONVERSATIONS,
    Build,
    TrainingFile,
    name_taken,
    require_no_build,
)
from brightrun.training_files.repository import TrainingFileRepository
from brightrun.training_files.selection import (
    ConversationSelection,
    ConversationSelector,
    SelectionPreview,
    dump_selection,
)

MOST_AT_ONCE = 80
"""Conversations that are selected and written within a request, as in v1."""
MOST_BYTES_AT_ONCE = 50_000_000
"""Size of a version whose conversations are copied into the next one within a request."""
PREVIEW_PAGE = 1000
"""Conversations of one request that are checked without building: some 3 seconds of reading."""


@dataclass(frozen=True, slots=True)
class TrainingFileBuilder:
    """Creates training files and adds versions to them.

    With an idempotency key, a repeated request returns the file of the first one as it is now, and
    starts the build if that is missing.
    """

    files: TrainingFileRepository
    selector: ConversationSelector
    assembler: VersionAssembler
    workflow: BuildWorkflow
    keys: RequestKeys
    clock: Clock

    def create(
        self,
        owner_id: str,
        *,
        name: str,
        description: str,
        selection: ConversationSelection,
        idempotency_key: str | None = None,
    ) -> TrainingFile:
        """Create a file from a selection of conversations, as version 1.

        Of more than MOST_AT_ONCE it is only begun. Raises DuplicateKeyError, InvalidInputError and
        TooManyConversationsError as ConversationSelector.ids does, UnfitConversationsError,
        TrainingFileFullError, IdempotencyKeyReusedError, RequestInProgressError, StorageError.
        """
        now = self.clock()
        request = _Request(owner_id, idempotency_key, ("create", name, description), selection)
        earlier = self._earlier(request, now)
        made = self._found(owner_id, earlier) if earlier else None
        if earlier and made:
            return self._resumed(made, earlier)
        request, attempt = request.after(earlier, now), time_ordered_id(now)
        if not self.files.name_is_free(owner_id, name):
            raise name_taken(name)
        file = TrainingFile(
            owner_id=owner_id,
            file_id=attempt,
            name=name,
            description=description,
            created_at=iso(now),
            updated_at=iso(now),
            created_by=owner_id,
            versions=[],
            scaffolding_distribution={},
            version=0,
        )
        return self._built(file, attempt, request, is_new=True)

    def add(
        self,
        owner_id: str,
        file_id: str,
        selection: ConversationSelection,
        idempotency_key: str | None = None,
    ) -> TrainingFile:
        """Create the file's next version, with more conversations after the present ones.

        If another version is added concurrently, the addition is repeated once on that version.
        Raises NotFoundError, BuildInProgressError, what `create` raises, and VersionConflictError
        if the repetition conflicts, too.
        """
        now = self.clock()
        request = _Request(owner_id, idempotency_key, ("add", file_id), selection)
        earlier = self._earlier(request, now)
        file = self.files.training_file(owner_id, file_id)
        if earlier and file.made_by(earlier):
            return self._resumed(file, earlier)
        request, attempt = request.after(earlier, now), time_ordered_id(now)
        try:
            return self._added(file, attempt, request)
        except VersionConflictError:
            return self._added(self.files.training_file(owner_id, file_id), attempt, request)

    def preview(
        self, owner_id: str, selection: ConversationSelection, position: int
    ) -> SelectionPreview:
        """Check the next PREVIEW_PAGE conversations of a selection, and build nothing.

        Their texts are not compared. Raises as ConversationSelector.ids does.
        """
        return self.selector.preview(owner_id, selection, position, PREVIEW_PAGE)

    def _added(self, file: TrainingFile, attempt: str, request: _Request) -> TrainingFile:
        require_no_build(file, self.clock())
        if file.version >= MOST_VERSIONS:
            raise TrainingFileFullError(
                f"The training file '{file.name}' has {MOST_VERSIONS} versions, the maximum. "
                "Create a new file.",
                details=file.state(),
            )
        return self._built(file, attempt, request, is_new=False)

    def _built(
        self, file: TrainingFile, attempt: str, request: _Request, *, is_new: bool
    ) -> TrainingFile:
        ids = self.selector.ids(file.owner_id, request.selection)
        selection = dataclasses.replace(
            request.selection,
            conversation_ids=ids,
            where=None,
            strict=request.selection.is_strict,
        )
        now = iso(self.clock())
        build = Build(
            attempt=attempt,
            version=file.version + 1,
            status="building",
            total=file.newest.conversation_count + len(set(ids)),
            started_at=now,
            updated_at=now,
        )
        small = len(ids) <= MOST_AT_ONCE and file.newest.json_file_size <= MOST_BYTES_AT_ONCE
        if small:
            return self._written(file, build, request, selection, is_new=is_new)
        self._bind(request, attempt)
        self.assembler.put_selection(file, build, dump_selection(selection, ids))
        begun = dataclasses.replace(file, build=build)
        self._store(begun, file, is_new=is_new)
        self.workflow.ensure_building(begun, build)
        return begun

    def _written(
        self,
        file: TrainingFile,
        build: Build,
        request: _Request,
        selection: ConversationSelection,
        *,
        is_new: bool,
    ) -> TrainingFile:
        """Write a small version within the request; nothing is stored before it is complete."""
        assembly = self.assembler.begin(file, build, in_parts=False)
        self.assembler.advance(file, assembly, selection, 2 * MOST_CONVERSATIONS)
        self.assembler.require_fit(assembly, selection)
        self._bind(request, build.attempt)
        keys = [one.key for one in assembly.objects.values()]
        in_use = partial(stored_keys, self.files, file)
        with discarded_if_lost(self.assembler.objects, in_use, *keys):
            version = self.assembler.finish(file, build, assembly, build.started_at)
            ready = dataclasses.replace(
                with_left_out(build, assembly.left_out), status="ready", done=build.total
            )
            grown = file.grown(version, assembly.totals.distribution, ready)
            self._store(grown, file, is_new=is_new)
        return grown

    def _store(self, file: TrainingFile, seen: TrainingFile, *, is_new: bool) -> None:
        if is_new:
            self.files.add(file)
        else:
            self.files.replace(file, seen)

    def _earlier(self, request: _Request, now: datetime) -> str | None:
        """The attempt of an earlier request with this key."""
        if request.key is None:
            return None
        return self.keys.find(request.owner_id, request.key, request.fingerprint(), now)

    def _bind(self, request: _Request, attempt: str) -> None:
        """Bind the key once the request has passed the checks, so that it can be corrected."""
        if request.key is None:
            return
        key = (request.owner_id, request.key, request.fingerprint(), attempt)
        if request.dead is None:
            bound = self.keys.job_for(*key, self.clock())
        else:
            bound = self.keys.rebind(*key, request.dead, self.clock())
        if bound != attempt:
            raise RequestInProgressError

    def _found(self, owner_id: str, file_id: str) -> TrainingFile | None:
        try:
            return self.files.training_file(owner_id, file_id)
        except NotFoundError:
            return None

    def _resumed(self, file: TrainingFile, attempt: str) -> TrainingFile:
        note_replay()
        build = file.build
        if build is not None and build.attempt == attempt and build.status == "building":
            self.workflow.ensure_building(file, build)
        return file


@dataclass(frozen=True, slots=True)
class _Request:
    """What a caller sent, for its Idempotency-Key.

    `dead` is the attempt of an earlier request with the key that died before it stored its file.
    """

    owner_id: str
    key: str | None
    purpose: tuple[str, ...]
    selection: ConversationSelection
    dead: str | None = None

    def after(self, earlier: str | None, now: datetime) -> _Request:
        """The request when there is no file of an earlier attempt with its key.

        Raises RequestInProgressError while that attempt's request may still run.
        """
        if earlier is not None and not request_has_ended(earlier, now):
            raise RequestInProgressError
        return dataclasses.replace(self, dead=earlier)

    def fingerprint(self) -> str:
        """A hash that is equal for equal requests."""
        text = repr((self.purpose, asdict(self.selection)))
        return hashlib.sha256(text.encode()).hexdigest()
