"""domain list: what a system can write about; init, check, preview: a pack as a folder, offline."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import ExitCode, UsageError
from cli.invocation import Invocation, command
from cli.private_files import explained
from cli.render import Column, table

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

app = typer.Typer(
    help="Domain packs, which are folders that make the platform write about one subject: list; "
    "init, check and preview without a server."
)

_COLUMNS = (
    Column("Key", "key", whole=True),
    Column("Name", "name"),
    Column("Crisis resources", "countries", ", ".join),
)
_STARTER = Path(__file__).parent.parent / "domain_starter"
_KEY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_HOW_TO_INSTALL = (
    "Batches can be ordered with it once the folder is in "
    "layers/common/python/brightrun/scaffolding/data, under its key, and deployed."
)

Pack = Annotated[
    str, typer.Argument(metavar="PACK", help="A folder, or the key of a pack there is.")
]


@command(app, "list")
def list_domains(run: Invocation) -> None:
    """List the domains that batches can be ordered with; the first is the default."""
    answer = run.client.get("/api/scaffolding/domains")
    run.answer(
        answer,
        lambda console: console.print(table(answer["domains"], _COLUMNS, width=console.width)),
    )


@command(app, "init")
def init_pack(
    run: Invocation,
    *,
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet.")],
    key: Annotated[
        str, typer.Option(help="Names the domain: lower case words joined by _, such as tax_help.")
    ],
) -> None:
    """Write the folder of a new pack, with one example of each record, to be changed."""
    if not _KEY.fullmatch(key):
        raise UsageError(f"--key {key!r} has to be lower case words joined by _.")
    with explained("write", folder):
        folder.mkdir(parents=True)
        for source in sorted(_STARTER.rglob("*.*")):
            written = folder / str(source.relative_to(_STARTER)).replace("KEY", key)
            written.parent.mkdir(exist_ok=True)
            written.write_text(source.read_text("utf-8").replace("KEY", key), "utf-8")
    document = {"success": True, "folder": str(folder), "key": key}
    hint = f"Wrote {folder}. Change it, and see `brightrun domain check {folder}`."
    run.answer(document, lambda console: console.print(hint))


@command(app, "check")
def check_pack(run: Invocation, pack: Pack) -> ExitCode:
    """Name everything that a pack lacks or has wrong; exits 1 if there is anything."""
    from brightrun.scaffolding.check_pack import pack_faults

    faults = pack_faults(_folder(pack))
    document = {"success": not faults, "pack": pack, "faults": faults}
    lines = faults or [f"{pack} is complete. {_HOW_TO_INSTALL}"]
    run.answer(document, lambda console: console.print("\n".join(lines), markup=False))
    return ExitCode.JOB_NOT_SUCCESSFUL if faults else ExitCode.OK


@command(app, "preview")
def preview_pack(
    run: Invocation,
    *,
    pack: Pack,
    persona: Annotated[str | None, typer.Option(help="Key; by default the first.")] = None,
    arc: Annotated[str | None, typer.Option(help="Key; by default the first.")] = None,
    topic: Annotated[str | None, typer.Option(help="Key; by default the first.")] = None,
    language: Annotated[str, typer.Option(help="ISO 639-1 code, such as de.")] = "en",
) -> None:
    """Show the prompt that Claude would get for a persona, an arc and a topic of a pack."""
    from brightrun.core.errors import InvalidInputError
    from brightrun.core.languages import LANGUAGES
    from brightrun.scaffolding.check_pack import pack_faults, preview_pack

    if language not in LANGUAGES:
        raise UsageError(f"--language has to be one of {', '.join(LANGUAGES)}.")
    folder = _folder(pack)
    if faults := pack_faults(folder):
        raise UsageError(f"{pack} is not complete: {faults[0]}", hint="See `domain check`.")
    try:
        system, user = preview_pack(folder, persona, arc, topic, language)
    except InvalidInputError as error:
        raise UsageError(error.message) from error
    document = {"success": True, "prompt": user, "system_prompt": system}
    run.answer(
        document,
        lambda console: console.print(f"{system}\n\n{user}", markup=False, soft_wrap=True),
    )


def _folder(pack: str) -> "Traversable":
    """The folder that an argument names; raises UsageError if there is none."""
    from brightrun.scaffolding.domain import folder_of, installed_domains

    if Path(pack).is_dir():
        return Path(pack)
    if pack in installed_domains():
        return folder_of(pack)
    there_are = ", ".join(installed_domains())
    raise UsageError(f"There is no folder {pack}, and no pack of this key; there are {there_are}.")
