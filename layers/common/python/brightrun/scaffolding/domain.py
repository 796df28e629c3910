"""The installed domain packs: what makes the platform write about one subject, as folders of data.

A folder in `data` holds `domain.toml`, which `pack.DomainPack` describes, the records of the kinds
that `builtin` reads, and the frame of the prompts with a text for each arc. Code knows the names of
no domain but the default one, which is v1's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints

from brightrun.core.fields import DEFAULT_DOMAIN

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from brightrun.scaffolding.pack import DomainPack

PACK_FILE = "domain.toml"


@cache
def _folders() -> dict[str, Traversable]:
    """The folders of the packs by key, the default one first."""
    data = resources.files("brightrun") / "scaffolding/data"
    found = {one.name: one for one in data.iterdir() if (one / PACK_FILE).is_file()}
    return {DEFAULT_DOMAIN: found.pop(DEFAULT_DOMAIN), **dict(sorted(found.items()))}


def installed_domains() -> tuple[str, ...]:
    """The keys of the installed packs, the default one first."""
    return tuple(_folders())


def read_pack(folder: Traversable) -> DomainPack:
    """Read a folder's `domain.toml`.

    Raises OSError, tomllib.TOMLDecodeError and pydantic's ValidationError.
    """
    import tomllib

    from brightrun.scaffolding.pack import DomainPack  # once a pack is needed

    return DomainPack.model_validate(tomllib.loads((folder / PACK_FILE).read_text("utf-8")))


def folder_of(key: str) -> Traversable:
    """The folder of an installed pack."""
    return _folders()[key]


@contextmanager
def installed(folder: Traversable) -> Iterator[DomainPack]:
    """Install the pack of another folder for a while, in place of one with its key.

    For a process that looks at one pack: all its threads see it. Raises what `read_pack` does.
    """
    pack, before = read_pack(folder), dict(_folders())
    _folders()[pack.key] = folder
    domain_pack.cache_clear()
    try:
        yield pack
    finally:
        _folders().clear()
        _folders().update(before)
        domain_pack.cache_clear()


@cache
def domain_pack(key: str) -> DomainPack:
    """Read an installed pack, once for each process; raises ValueError for one there is not."""
    if key not in _folders():
        raise ValueError(f"there is no domain {key!r}; there are {', '.join(_folders())}")
    return read_pack(_folders()[key])


def installed_packs() -> Iterator[DomainPack]:
    """Read all installed packs."""
    return map(domain_pack, installed_domains())


def fields_of_domains() -> dict[str, Any]:
    """The types of the fields that personas have beyond the core, those of all domains."""
    from brightrun.scaffolding.pack import FIELD_TYPES

    fields = (field for pack in installed_packs() for field in pack.persona.fields)
    return {field.name: FIELD_TYPES[field.kind] for field in fields}


@cache
def domain_of_arc(arc_key: str) -> str | None:
    """The domain whose pack has an arc of this key; None if no pack has."""
    for key in installed_domains():
        rows = json.loads((folder_of(key) / "emotional_arcs.json").read_text("utf-8"))
        if any(row["arc_key"] == arc_key for row in rows):
            return key
    return None


def _installed(key: str) -> str:
    domain_pack(key)
    return key


DomainKey = Annotated[
    str,
    StringConstraints(max_length=100),
    AfterValidator(_installed),
    Field(
        description="The key of a domain pack.",
        json_schema_extra=lambda schema: schema.update(enum=list(installed_domains())),
    ),
]
