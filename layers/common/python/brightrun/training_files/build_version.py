"""Builds a version of a training file in the background, a page at each invocation."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from brightrun.aws.objects import discarded_if_lost
from brightrun.core.errors import (
    BrightRunError,
    NotFoundError,
    StorageError,
    VersionConflictError,
)
from brightrun.core.timestamps import Clock, iso
from brightrun.training_files.assemble_version import VersionAssembler, VersionAssembly
from brightrun.training_files.model import (
    MOST_EXAMPLES,
    Build,
    BuildStatus,
    TrainingFile,
)
from brightrun.training_files.repository import TrainingFileRepository
from brightrun.training_files.selection import ConversationSelection, LeftOut, load_selection

PAGE = 1000
"""Conversations of one invocation: some 30 MB of JSON, in about ten seconds."""
_EVENT = ConfigDict(
    alias_generator=to_camel,
    validate_by_name=True,
    validate_by_alias=True,
    frozen=True,
    defer_build=True,
)


class BuildStep(BaseModel):
    """The next page of a build; `failed` requests to record that all attempts at it failed.

    `cause` is then what Step Functions says of the last attempt.
    """

    model_config = _EVENT

    owner_id: str
    file_id: str
    attempt: str
    failed: bool = False
    cause: str = ""

    def ended(self, status: BuildStatus | Literal["superseded"]) -> BuildStepEnd:
        """The outcome of the step."""
        return BuildStepEnd(
            owner_id=self.owner_id, file_id=self.file_id, attempt=self.attempt, status=status
        )


class BuildStepEnd(BaseModel):
    """The outcome of a step, which is the request for the next one while it is building.

    `superseded` if another build has taken the place of this one.
    """

    model_config = _EVENT

    owner_id: str
    file_id: str
    attempt: str
    status: BuildStatus | Literal["superseded"]


@dataclass(frozen=True, slots=True)
class VersionBuilder:
    """The service of the build_training_file function.

    The file's row is what counts: it names the checkpoint that a step continues from, and a step
    that finds another one when it has ended has done nothing. So a step may be killed and repeated
    at any point, also while an earlier one still runs.
    """

    files: TrainingFileRepository
    assembler: VersionAssembler
    clock: Clock
    page: int = PAGE

    def step(self, step: BuildStep) -> BuildStepEnd:
        """Take in the next page, or store the version if there is none; raises StorageError."""
        try:
            file = self.files.training_file(step.owner_id, step.file_id)
        except NotFoundError:
            return step.ended("superseded")
        build = file.build
        if build is None or build.attempt != step.attempt:
            return step.ended("superseded")
        if build.status != "building":
            self._tidy_up(file, build)
            return step.ended(build.status)
        try:
            return step.ended(self._continued(file, build, step))
        except VersionConflictError:
            # An earlier invocation of this step was not dead, and has stored its outcome.
            return step.ended("building")

    def _continued(self, file: TrainingFile, build: Build, step: BuildStep) -> BuildStatus:
        if step.failed:
            return self._failed(file, build, _interruption(step.cause))
        try:
            return self._next_page(file, build)
        except (StorageError, VersionConflictError):
            raise
        except BrightRunError as error:
            return self._failed(file, build, error)

    def _next_page(self, file: TrainingFile, build: Build) -> BuildStatus:
        assembly = self.assembler.load(file, build)
        selection = load_selection(self.assembler.selection(file, build))
        if self.assembler.is_complete(assembly, selection):
            return self._finished(file, build, assembly, selection)
        self.assembler.advance(file, assembly, selection, self.page)
        advanced = dataclasses.replace(
            with_left_out(build, assembly.left_out),
            done=assembly.done,
            checkpoint=self.assembler.save(file, build, assembly),
            updated_at=iso(self.clock()),
        )
        self.files.replace(dataclasses.replace(file, build=advanced), file)
        return "building"

    def _finished(
        self,
        file: TrainingFile,
        build: Build,
        assembly: VersionAssembly,
        selection: ConversationSelection,
    ) -> BuildStatus:
        self.assembler.require_fit(assembly, selection)
        # The last page's time, so that a repetition writes the same bytes.
        version = self.assembler.finish(file, build, assembly, build.updated_at)
        ready = dataclasses.replace(
            build, status="ready", done=build.total, updated_at=iso(self.clock())
        )
        grown = file.grown(version, assembly.totals.distribution, ready)
        keys = (version.json_key, version.jsonl_key)
        in_use = partial(stored_keys, self.files, file)
        with discarded_if_lost(self.assembler.objects, in_use, *keys):
            self.files.replace(grown, file)
        self._tidy_up(grown, ready)
        return "ready"

    def _failed(self, file: TrainingFile, build: Build, error: BrightRunError) -> BuildStatus:
        """Record why, and then remove what the attempt stored; the version's number stays free."""
        failed = dataclasses.replace(
            build,
            status="failed",
            error=error.message,
            error_code=error.code,
            updated_at=iso(self.clock()),
        )
        self.files.replace(dataclasses.replace(file, build=failed), file)
        self._tidy_up(file, failed)
        return "failed"

    def _tidy_up(self, file: TrainingFile, build: Build) -> None:
        """Leave nothing of a build that has ended but its version's objects."""
        if build.status == "failed":
            self.assembler.discard(file, build)
        else:
            self.assembler.tidy_up(file, build)


def with_left_out(build: Build, left_out: LeftOut) -> Build:
    """The build with the conversations that it has left out so far."""
    examples = {name: listed[:MOST_EXAMPLES] for name, listed in left_out.listed.items()}
    return dataclasses.replace(build, left_out=left_out.in_order(), examples=examples)


def stored_keys(files: TrainingFileRepository, file: TrainingFile) -> frozenset[str]:
    """The keys of all objects that the file's row points to now; raises StorageError."""
    try:
        return files.training_file(file.owner_id, file.file_id).object_keys()
    except NotFoundError:
        return frozenset()


def _interruption(cause: str) -> StorageError:
    """The error of a build whose last attempt ended with a cause, which Lambda writes as JSON."""
    try:
        last = str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        last = "the function was interrupted"
    return StorageError("Every attempt at a page", last.rstrip("."))
