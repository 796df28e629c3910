"""What a new batch consists of: its options, the server's preview of it, and how to go on."""

import shlex
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.client import ApiClient, Document, segment
from cli.deadline import expected_ends, show_deadline, timestamp
from cli.errors import CliError, NotFoundError, RefusedError
from cli.render import Column, record, table
from cli.scaffolding import ALL
from cli.text import duration, money, number, percent, plain, quantiles, quote_basis

if TYPE_CHECKING:
    from rich.console import Console

CHOICE = "Key or id; repeat it for several, or write all."
CREATE = "/api/conversations/generate-batch"
COMBINATION = {
    "persona_id": "persona_key",
    "emotional_arc_id": "emotional_arc_key",
    "training_topic_id": "training_topic_key",
}
"""The names of a combination's parts in requests, and in the answers."""
MOST_SHOWN = 10
"""Lines of a table within a longer text."""

PLANNED = (
    Column("Persona", "persona_key"),
    Column("Arc", "emotional_arc_key"),
    Column("Topic", "training_topic_key"),
)
INCOMPATIBLE = (
    *PLANNED,
    Column("Confidence", "confidence"),
    Column("Because", "warnings", "\n".join),
)
WARNINGS = (Column("Conversations", "conversations", number), Column("Fits less", "warning"))
PROBLEMS = (Column("What", "field"), Column("Missing or unusable", "message"))


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """What the conversations of a batch are, and how they are written."""

    name: Annotated[str, typer.Option(help="The name of the batch.")]
    persona: Annotated[list[str], typer.Option(help=CHOICE)]
    arc: Annotated[list[str], typer.Option(help=CHOICE)]
    topic: Annotated[list[str], typer.Option(help=CHOICE)]
    template: Annotated[
        str | None,
        typer.Option(help="Id or name of a template; by default one is chosen for each arc."),
    ] = None
    concurrency: Annotated[
        int,
        typer.Option(
            min=1,
            max=250,
            help="Calls to Claude at the same time, at the most; fewer while it refuses some.",
        ),
    ] = 75
    lane: Annotated[
        Literal["realtime", "economy"] | None,
        typer.Option(
            help="economy: at half the price, in Message Batches; most end within an hour, all "
            "within a day. By default realtime."
        ),
    ] = None
    done_by: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Instead of --lane: be done by a time with its zone, or in 45m, 6h or 2d. Economy "
            "as long as the time allows, and the remainder in realtime.",
        ),
    ] = None
    on_error: Annotated[
        Literal["stop", "continue"],
        typer.Option(help="Whether a failed conversation stops the batch."),
    ] = "continue"
    priority: Annotated[Literal["low", "normal", "high"], typer.Option()] = "normal"
    domain: Annotated[
        str | None, typer.Option(help="Key of a domain; by default financial_planning.")
    ] = None
    language: Annotated[
        str | None,
        typer.Option(help="Write in this language, by its ISO 639-1 code; by default en."),
    ] = None
    max_cost: Annotated[
        float | None,
        typer.Option(
            min=0.0001,
            metavar="USD",
            help="The most that the batch may spend. What it does not pay for remains, and is "
            "written after `brightrun batch resume --max-cost`.",
        ),
    ] = None

    reuse: Annotated[
        bool,
        typer.Option(
            "--reuse",
            help="Take answers that your batches of the last 30 days paid for, where model and "
            "prompt are the same: they cost nothing again.",
        ),
    ] = False

    def from_now(self) -> "BatchOptions":
        """The same with the timestamp instead of a duration, which a sample's rest shares."""
        if self.done_by is None:
            return self
        return replace(self, done_by=timestamp(self.done_by, datetime.now(UTC)))

    def request(self, **selected: Any) -> Document:
        """The body of the request; `selected` narrows the combinations down."""
        selection: Document = {
            "personas": _choice(self.persona),
            "emotional_arcs": _choice(self.arc),
            "training_topics": _choice(self.topic),
            **selected,
        }
        if self.template:
            selection["template_id"] = self.template
        return {
            "name": self.name,
            "selection": selection,
            "callsInFlight": self.concurrency,
            "errorHandling": self.on_error,
            "priority": self.priority,
            **({"lane": self.lane} if self.lane else {}),
            **({"doneBy": self.done_by} if self.done_by else {}),
            **({"maxCostUsd": self.max_cost} if self.max_cost else {}),
            **({"domain": self.domain} if self.domain else {}),
            **({"language": self.language} if self.language else {}),
            **({"reuse": True} if self.reuse else {}),
        }

    def command(self, *more: str) -> str:
        """The command with these options and some more, to be copied."""
        words = ["brightrun", "batch", "create"]
        for one in fields(self):
            value = getattr(self, one.name)
            for given in value if isinstance(value, list) else [value]:
                if given is True:
                    words.append(f"--{one.name}")
                elif given is not None and value != one.default:
                    words += [f"--{one.name.replace('_', '-')}", str(given)]
        return shlex.join([*words, *more])


def _choice(references: list[str]) -> list[str] | str:
    return ALL if ALL in references else references


def combinations_of(client: ApiClient, job_id: str) -> list[Document]:
    """The combinations of a batch, to leave them out of another."""
    path = f"/api/conversations/batch/{segment(job_id)}/items"
    return [
        {name: item[field] for name, field in COMBINATION.items()}
        for page in client.pages(path, "items")
        for item in page["items"]
    ]


def preview_batch(client: ApiClient, request: Document) -> Document:
    """Ask for the plan of a batch; nothing is stored."""
    return client.post(f"{CREATE}/preview", request)


def require_complete(preview: Document) -> None:
    """Raise an error that names everything that the batch lacks."""
    problems = preview["problems"]
    if not problems:
        return
    unknown = {problem["code"] for problem in problems} == {"unknown_scaffolding"}
    kind: type[CliError] = NotFoundError if unknown else RefusedError
    raise kind(
        f"The batch lacks {number(preview['problemCount'])} thing(s):",
        code="unplannable_batch",
        hint="See what there is with `brightrun personas list`, `arcs list`, `topics list` and "
        "`templates list`.",
        details=problems,
    )


def show_preview(console: "Console", preview: Document) -> None:
    """Show size, price and time of a plan, what does not fit and what is missing."""
    console.print(record(_summary(preview)))
    if preview["deadline"]:
        show_deadline(console, preview["deadline"])
    for notice in filter(None, map(preview.get, ("modelNotice", "repetitionNotice"))):
        console.print(plain(notice), soft_wrap=True)
    if preview["incompatible"]:
        console.print(f"{number(preview['incompatibleItems'])} do not fit together, such as:")
        shown = preview["incompatible"][:MOST_SHOWN]
        console.print(table(shown, INCOMPATIBLE, width=console.width))
    if preview["warnings"]:
        console.print(table(preview["warnings"][:MOST_SHOWN], WARNINGS, width=console.width))
    if preview["problems"]:
        console.print(table(preview["problems"], PROBLEMS, width=console.width))


def _past_error(preview: Document) -> str:
    """How wrong quotes like this one were."""
    source = preview["estimatedCost"]["source"]
    like = [one for one in preview["pastQuotes"] if one["source"] == source]
    return "".join(
        f"; {number(one['batches'])} such quotes were {percent(one['cost_mape'])} off"
        for one in like
    )


def _summary(preview: Document) -> dict[str, Any]:
    kinds = ("personas", "emotionalArcs", "trainingTopics")
    counts = {name: preview[name] for name in kinds}
    product = counts["personas"] * counts["emotionalArcs"] * counts["trainingTopics"]
    total, requested = preview["totalItems"], preview["requestedItems"]
    size = f"{number(total)} conversations"
    if total < product:
        size += f" of {number(product)} combinations"
    if total < requested:
        size += f"; {number(requested - total)} cannot be written"
    return {
        "size": f"{counts['personas']} personas x {counts['emotionalArcs']} arcs x "
        f"{counts['trainingTopics']} topics = {size}",
        "model": preview["model"],
        **{lane["lane"]: _quote(lane, preview["lane"]) for lane in preview["lanes"]},
        **_deadline(preview),
        "price by": f"{quote_basis(preview['estimatedCost'])}{_past_error(preview)}",
    }


def _deadline(preview: Document) -> dict[str, Any]:
    """What is expected of an order that is to be done by a time."""
    if (deadline := preview["deadline"]) is None:
        return {}
    both = {"both": _priced(preview)} if deadline["switchAt"] else {}
    return {**both, **expected_ends(deadline)}


def _quote(lane: Document, chosen: str) -> str:
    """What a lane costs and takes, and whether it is the chosen one."""
    if lane["unavailable"]:
        return str(lane["unavailable"])
    told = _priced(lane)
    return f"{told} (chosen)" if lane["lane"] == chosen else told


def _priced(quoted: Document) -> str:
    price = quantiles(quoted["estimatedCost"], money)
    return f"{price}; {quantiles(quoted['estimatedTime'], duration)}"
