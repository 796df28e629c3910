"""A training file: a named, growing choice of conversations, in versions that never change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from brightrun.core.errors import DuplicateKeyError, VersionConflictError

Eligibility = Literal["approved", "enriched"]
FileFormat = Literal["json", "jsonl"]
MOST_VERSIONS = 200
"""Versions of one file: an entry takes under 1 KB of the row's 400 KB (docs/adr/0020)."""
MOST_BYTES = 50 * 1024 * 1024
"""Size of one training.json: the limit of the original's bucket."""


@dataclass(frozen=True, slots=True)
class QualitySummary:
    """Sums over the scores that went into a file, so that later ones can be added exactly.

    A conversation counts by its own score; one without counts by the score of each of its pairs,
    as the original did. `human_reviewed` counts conversations.
    """

    scored: int = 0
    total: float = 0.0
    lowest: float | None = None
    highest: float | None = None
    human_reviewed: int = 0

    def plus(self, scores: Iterable[float], *, human_reviewed: bool) -> QualitySummary:
        """Add the scores of one conversation."""
        added = list(scores)
        known = [score for score in (self.lowest, self.highest, *added) if score is not None]
        return QualitySummary(
            scored=self.scored + len(added),
            total=round(self.total + sum(added), 6),
            lowest=min(known, default=None),
            highest=max(known, default=None),
            human_reviewed=self.human_reviewed + human_reviewed,
        )

    @property
    def average(self) -> float | None:
        """The mean of all scores, by two decimals."""
        return round(self.total / self.scored, 2) if self.scored else None


@dataclass(frozen=True, slots=True)
class TrainingFileVersion:
    """One immutable state of a file; sizes in bytes, hashes in hexadecimal SHA-256.

    Which conversations it holds stands in its training.json alone. `total_training_pairs` counts
    all pairs, as the format has it, `trainable_pairs` those that have something to learn.
    `simulated` is set when the Claude simulator wrote any of its conversations.
    """

    version: int
    created_at: str
    created_by: str
    json_key: str
    jsonl_key: str
    json_file_size: int
    jsonl_file_size: int
    json_sha256: str
    jsonl_sha256: str
    conversation_count: int
    added_conversations: int
    total_training_pairs: int
    trainable_pairs: int
    quality: QualitySummary = field(default_factory=QualitySummary)
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class TrainingFile:
    """A training file's row; `version` is that of its newest version and of the row itself.

    `scaffolding_distribution` counts the newest version's conversations by persona, arc and topic;
    that of an older version stands in its training.json. `imported_versions` are those that a
    dataset was made from; the datasets' repository writes them down with its claims.
    """

    owner_id: str
    file_id: str
    name: str
    description: str
    created_at: str
    updated_at: str
    created_by: str
    versions: list[TrainingFileVersion]
    scaffolding_distribution: dict[str, dict[str, int]]
    version: int = 1
    status: Literal["active"] = "active"
    imported_versions: list[int] = field(default_factory=list)

    @property
    def newest(self) -> TrainingFileVersion:
        """The version that is downloaded where none is named."""
        return self.versions[-1]

    @property
    def is_imported(self) -> bool:
        """True when a dataset was made from the newest version."""
        return self.version in self.imported_versions

    @property
    def can_import(self) -> bool:
        """True when a dataset made from the newest version would be new and could be trained on."""
        return not self.is_imported and self.newest.trainable_pairs > 0

    def numbered(self, number: int | None) -> TrainingFileVersion | None:
        """A version by its number, the newest for None; None when there is no such version."""
        if number is None:
            return self.newest
        return next((one for one in self.versions if one.version == number), None)

    def grown(
        self, added: TrainingFileVersion, distribution: dict[str, dict[str, int]]
    ) -> TrainingFile:
        """The file with one version more."""
        return dataclasses.replace(
            self,
            versions=[*self.versions, added],
            version=added.version,
            scaffolding_distribution=distribution,
            updated_at=added.created_at,
        )

    def state(self) -> dict[str, Any]:
        """What somebody whose write met a newer version needs to know."""
        return {
            "version": self.version,
            "conversation_count": self.newest.conversation_count,
            "updated_at": self.updated_at,
        }


def read_training_file(row: Mapping[str, Any]) -> TrainingFile:
    """Read a row as the repository stored it."""
    names = {one.name for one in dataclasses.fields(TrainingFile)}
    versions = [
        TrainingFileVersion(**{**entry, "quality": QualitySummary(**entry["quality"])})
        for entry in row["versions"]
    ]
    kept = {name: value for name, value in row.items() if name in names}
    return TrainingFile(**{**kept, "versions": versions})


def name_key(name: str) -> str:
    """What two names of one owner must not share: spaces and case do not make a difference."""
    return " ".join(name.split()).casefold()


def name_taken(name: str) -> DuplicateKeyError:
    """The refusal of a name that another file of the owner has."""
    return DuplicateKeyError(
        f"There is a training file called '{name}' already; choose another name, or add the "
        "conversations to that one.",
        details={"name": name},
    )


def version_conflict(current: TrainingFile) -> VersionConflictError:
    """The refusal of a write from a version that is not the newest any more."""
    return VersionConflictError(
        f"The training file '{current.name}' was changed by somebody else; it is at version "
        f"{current.version} now. Look at it again and repeat the change.",
        details=current.state(),
    )
