"""Reads delivered models and signs links to their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from brightrun.aws.objects import LINK_SECONDS, ObjectStore
from brightrun.core.errors import InvalidInputError
from brightrun.core.pages import Page
from brightrun.core.timestamps import Clock, iso
from brightrun.training.adapters.model import ArtifactFile, ModelArtifact
from brightrun.training.adapters.repository import ModelRepository


@dataclass(frozen=True, slots=True)
class ModelLinks:
    """Links to a model's files by their names, and when the links expire."""

    model_id: str
    model_name: str
    download_urls: dict[str, str]
    files: list[ArtifactFile]
    expires_at: str
    expires_in_seconds: int = LINK_SECONDS


@dataclass(frozen=True, slots=True)
class ModelReader:
    """The models function's service."""

    models: ModelRepository
    links: ObjectStore
    clock: Clock

    def page(self, owner_id: str, *, limit: int, cursor: str | None) -> Page[ModelArtifact]:
        """List an owner's models, newest first."""
        return self.models.models(owner_id, limit=limit, cursor=cursor)

    def one(self, owner_id: str, model_id: str) -> ModelArtifact:
        """Read a model; raises NotFoundError."""
        return self.models.model(owner_id, model_id)

    def download(self, owner_id: str, model_id: str, names: Sequence[str] | None) -> ModelLinks:
        """Sign links to the named files, to all files if `names` is None.

        Raises NotFoundError for the model, InvalidInputError that lists its files.
        """
        model = self.models.model(owner_id, model_id)
        files = model.files if names is None else _named(model, names)
        return ModelLinks(
            model_id=model_id,
            model_name=model.name,
            download_urls={one.name: self.links.link(one.key, one.name) for one in files},
            files=files,
            expires_at=iso(self.clock() + timedelta(seconds=LINK_SECONDS)),
        )


def _named(model: ModelArtifact, names: Sequence[str]) -> list[ArtifactFile]:
    known = {one.name: one for one in model.files}
    unknown = [name for name in names if name not in known]
    if unknown:
        message = f"'{unknown[0]}' is not a file of this model; it has {', '.join(sorted(known))}."
        raise InvalidInputError(
            f"files: {message}",
            details=[
                {"field": f"files.{at}", "message": f"'{name}' is not a file of this model."}
                for at, name in enumerate(names)
                if name not in known
            ],
        )
    return [known[name] for name in dict.fromkeys(names)]
