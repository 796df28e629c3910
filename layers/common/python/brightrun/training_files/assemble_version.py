"""Puts a version of a training file together, page by page, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from brightrun.core import object_keys
from brightrun.core.errors import StorageError, TrainingFileFullError
from brightrun.core.ids import new_attempt
from brightrun.training_files.document import (
    CLOSING,
    Entry,
    Origin,
    StoredDocument,
    Totals,
    conversation_entry,
    entry_bytes,
    line_bytes,
    meta_bytes,
    opening,
    scores_of,
    turn_texts,
)
from brightrun.training_files.duplicates import DuplicateIndex
from brightrun.training_files.model import (
    MOST_BYTES,
    MOST_CONVERSATIONS,
    Build,
    FileFormat,
    QualitySummary,
    TrainingFile,
    TrainingFileVersion,
)
from brightrun.training_files.parts import PartedObject
from brightrun.training_files.repository import TrainingFileObjects
from brightrun.training_files.selection import (
    ConversationSelection,
    ConversationSelector,
    Ineligible,
    LeftOut,
    SelectedConversation,
    without_repeated,
)

CONTENT_TYPES: Mapping[FileFormat, str] = {
    "json": "application/json",
    "jsonl": "application/x-ndjson",
}
_TOGETHER = 64
"""Conversations that are in memory at once, some 100 KB each."""


@dataclass(slots=True)
class VersionAssembly:
    """A version as far as it is put together.

    `offset` is where the next conversation stands in the training.json of the version before; None
    if all of them are copied. `position` is the place of the next selected conversation.
    """

    objects: dict[FileFormat, PartedObject]
    origin: Origin = field(default_factory=Origin)
    offset: int | None = None
    position: int = 0
    copied: int = 0
    added: int = 0
    simulated: bool = False
    totals: Totals = field(default_factory=Totals)
    index: DuplicateIndex = field(default_factory=DuplicateIndex)
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def done(self) -> int:
        """The conversations that were looked at."""
        return self.copied + self.position

    def dump(self) -> dict[str, Any]:
        """All but the bytes of the objects, as JSON values."""
        return {
            "objects": {name: one.dump() for name, one in self.objects.items()},
            "origin": asdict(self.origin),
            "offset": self.offset,
            "position": self.position,
            "copied": self.copied,
            "added": self.added,
            "simulated": self.simulated,
            "totals": asdict(self.totals),
            "index": self.index.dump(),
            "left_out": asdict(self.left_out),
        }

    @classmethod
    def load(
        cls, dumped: Mapping[str, Any], objects: dict[FileFormat, PartedObject]
    ) -> VersionAssembly:
        """The assembly that `dump` wrote, with its objects."""
        totals, left_out = dumped["totals"], dumped["left_out"]
        quality = QualitySummary(**totals["quality"])
        return cls(
            **{
                **dumped,
                "objects": objects,
                "origin": Origin(**dumped["origin"]),
                "totals": Totals(**{**totals, "quality": quality}),
                "index": DuplicateIndex.load(dumped["index"]),
                "left_out": LeftOut(**left_out),
            }
        )


@dataclass(frozen=True, slots=True)
class VersionAssembler:
    """Reads conversations and writes them into the two objects of a version.

    `file` is always the file as it was before the version, and `build` the version's build.
    """

    selector: ConversationSelector
    objects: TrainingFileObjects

    def begin(self, file: TrainingFile, build: Build, *, in_parts: bool = True) -> VersionAssembly:
        """Begin a version, to be stored in parts as it grows, or all at its end.

        Raises StorageError, InvalidInputError for an unreadable version before.
        """
        begun = VersionAssembly(
            {
                name: PartedObject(
                    object_keys.training_file(
                        file.owner_id, file.file_id, build.version, build.attempt, name
                    ),
                    content_type,
                    in_parts,
                )
                for name, content_type in CONTENT_TYPES.items()
            }
        )
        if file.versions:
            stored = StoredDocument(self._newest(file, 0))
            begun.origin = Origin.of_stored(stored.opening())
            begun.offset = stored.position
            begun.simulated = file.newest.simulated
            begun.totals.quality = file.newest.quality
        return begun

    def advance(
        self,
        file: TrainingFile,
        assembly: VersionAssembly,
        selection: ConversationSelection,
        limit: int,
    ) -> None:
        """Take in up to `limit` more conversations; raises TrainingFileFullError, StorageError."""
        ids = without_repeated(
            selection.conversation_ids, LeftOut() if assembly.done else assembly.left_out
        )
        end = assembly.done + limit
        self._copy(file, assembly, end)
        while assembly.offset is None and assembly.position < len(ids) and assembly.done < end:
            size = min(_TOGETHER, end - assembly.done)
            self._take_in(
                file, assembly, selection, ids[assembly.position : assembly.position + size]
            )
            assembly.position += min(size, len(ids) - assembly.position)

    def is_complete(self, assembly: VersionAssembly, selection: ConversationSelection) -> bool:
        """Whether all conversations were looked at."""
        return assembly.offset is None and assembly.position == len(set(selection.conversation_ids))

    def require_fit(self, assembly: VersionAssembly, selection: ConversationSelection) -> None:
        """Raise UnfitConversationsError if a complete version must not be stored.

        That is when a strict selection is not eligible as a whole, or when nothing of any is; the
        error's details have the conversations that are not.
        """
        left_out = assembly.left_out
        if not assembly.added or (selection.is_strict and left_out.counts):
            raise left_out.error(eligible=assembly.added)

    def finish(
        self, file: TrainingFile, build: Build, assembly: VersionAssembly, now: str
    ) -> TrainingFileVersion:
        """Store both objects of a complete version; returns the version. Raises StorageError."""
        totals = assembly.totals
        ends = {
            "json": (
                opening(
                    file.name,
                    assembly.origin,
                    totals,
                    created=file.created_at,
                    updated=now,
                ),
                CLOSING,
            ),
            "jsonl": (meta_bytes(file.name, totals), b""),
        }
        stored: dict[str, Any] = {}
        for name, one in assembly.objects.items():
            size, sha256 = one.complete(*ends[name], self.objects)
            stored |= {f"{name}_key": one.key, f"{name}_file_size": size}
            stored[f"{name}_sha256"] = sha256
        return TrainingFileVersion(
            version=build.version,
            created_at=now,
            created_by=file.owner_id,
            **stored,
            conversation_count=totals.conversations,
            added_conversations=assembly.added,
            total_training_pairs=totals.pairs,
            trainable_pairs=totals.trainable,
            quality=totals.quality,
            simulated=assembly.simulated,
        )

    def save(self, file: TrainingFile, build: Build, assembly: VersionAssembly) -> str:
        """Store how far the version is, apart from every other state; returns its name."""
        checkpoint = new_attempt()
        folder = f"{_build_prefix(file, build)}{checkpoint}/"
        for name, one in assembly.objects.items():
            for part in ("head", "tail"):
                text = bytes(getattr(one, part)).decode()
                self.objects.put(f"{folder}{part}.{name}", text, content_type=CONTENT_TYPES[name])
        state = json.dumps(assembly.dump(), ensure_ascii=False)
        self.objects.put(f"{folder}state.json", state, content_type=CONTENT_TYPES["json"])
        return checkpoint

    def load(self, file: TrainingFile, build: Build) -> VersionAssembly:
        """The version as far as the build's checkpoint says; raises StorageError."""
        if not build.checkpoint:
            return self.begin(file, build)
        folder = f"{_build_prefix(file, build)}{build.checkpoint}/"
        state = json.loads(self._text(f"{folder}state.json"))
        objects = {
            name: PartedObject.load(
                state["objects"][name],
                self._text(f"{folder}head.{name}"),
                self._text(f"{folder}tail.{name}"),
            )
            for name in CONTENT_TYPES
        }
        return VersionAssembly.load(state, objects)

    def put_selection(self, file: TrainingFile, build: Build, text: str) -> None:
        """Store what a version is to be built of; raises StorageError."""
        key = f"{_build_prefix(file, build)}selection.json"
        self.objects.put(key, text, content_type=CONTENT_TYPES["json"])

    def selection(self, file: TrainingFile, build: Build) -> str:
        """What `put_selection` stored; raises StorageError."""
        return self._text(f"{_build_prefix(file, build)}selection.json")

    def tidy_up(self, file: TrainingFile, build: Build) -> None:
        """Remove what a build keeps until its version is ready, and uploads that it forgot.

        What cannot be removed is swept away.
        """
        with suppress(StorageError):
            self.objects.abandon_parts(_attempt_prefix(file, build))
            self.objects.remove_all(_build_prefix(file, build))

    def discard(self, file: TrainingFile, build: Build) -> None:
        """Remove everything of an attempt that failed, unfinished uploads too.

        Raises StorageError.
        """
        prefix = _attempt_prefix(file, build)
        self.objects.abandon_parts(prefix)
        self.objects.remove_all(prefix)

    def _copy(self, file: TrainingFile, assembly: VersionAssembly, end: int) -> None:
        """Take in the next conversations of the version before."""
        if assembly.offset is None:
            return
        stored = StoredDocument(self._newest(file, assembly.offset), assembly.offset)
        for entry in stored.entries():
            assembly.index.add(entry.conversation_id, turn_texts(entry.pairs))
            self._append(file, assembly, entry)
            assembly.offset = stored.position
            assembly.copied += 1
            if assembly.done == end:
                return
        assembly.offset = None

    def _take_in(
        self,
        file: TrainingFile,
        assembly: VersionAssembly,
        selection: ConversationSelection,
        conversation_ids: Sequence[str],
    ) -> None:
        fresh = [one for one in conversation_ids if one not in assembly.index]
        for conversation_id in conversation_ids:
            if conversation_id in assembly.index:
                assembly.left_out.add("already_in_file", conversation_id)
        for found in self.selector.read(file.owner_id, fresh, selection.eligibility):
            if isinstance(found, Ineligible):
                assembly.left_out.add(found.reason, found.listed)
            else:
                self._take_in_one(file, assembly, selection, found)

    def _take_in_one(
        self,
        file: TrainingFile,
        assembly: VersionAssembly,
        selection: ConversationSelection,
        found: SelectedConversation,
    ) -> None:
        entry = conversation_entry(found)
        texts = turn_texts(entry.pairs)
        duplicate = None
        if not selection.allow_duplicates:
            duplicate = assembly.index.closest(entry.conversation_id, texts)
        if duplicate is not None:
            assembly.left_out.add("duplicates", asdict(duplicate))
            return
        assembly.index.add(entry.conversation_id, texts)
        assembly.origin.add(found.enriched)
        assembly.simulated = assembly.simulated or found.record.simulated
        reviewed = found.record.reviewed_at is not None
        assembly.totals.quality = assembly.totals.quality.plus(
            scores_of(found), human_reviewed=reviewed
        )
        assembly.added += 1
        if not (selection.is_strict and assembly.left_out.counts):
            self._append(file, assembly, entry)

    def _append(self, file: TrainingFile, assembly: VersionAssembly, entry: Entry) -> None:
        is_first = assembly.totals.conversations == 0
        assembly.totals.add(entry)
        texts = {"json": entry_bytes(entry, is_first=is_first), "jsonl": line_bytes(entry)}
        for name, one in assembly.objects.items():
            one.append(texts[name], self.objects)
            if one.size > MOST_BYTES:
                raise _full(file, f"more than {MOST_BYTES:,} bytes", {"most_bytes": MOST_BYTES})
        if assembly.totals.conversations > MOST_CONVERSATIONS:
            limit = {"most_conversations": MOST_CONVERSATIONS}
            raise _full(file, f"more than {MOST_CONVERSATIONS:,} conversations", limit)

    def _newest(self, file: TrainingFile, start: int) -> Any:
        return self.objects.blocks(file.newest.json_key, start)

    def _text(self, key: str) -> str:
        stored = self.objects.get(key)
        if stored is None:
            raise StorageError("GetObject", f"the build's '{key.rpartition('/')[2]}' is missing")
        return stored.text


def _attempt_prefix(file: TrainingFile, build: Build) -> str:
    return object_keys.training_file_attempt(
        file.owner_id, file.file_id, build.version, build.attempt
    )


def _build_prefix(file: TrainingFile, build: Build) -> str:
    return object_keys.training_file_build(
        file.owner_id, file.file_id, build.version, build.attempt
    )


def _full(file: TrainingFile, limit: str, details: Mapping[str, int]) -> TrainingFileFullError:
    return TrainingFileFullError(
        f"The training file '{file.name}' would have {limit}, the maximum. Select fewer "
        "conversations, or create a new file.",
        details=details,
    )
