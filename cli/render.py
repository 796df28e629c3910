"""Tables, records and conversations for human readers."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.text import money, names, plain, tokens

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

NARROW_WIDTH = 140
PIPED_WIDTH = 160  # wide enough for a table with a UUID, so that grep sees whole rows
STATUS_STYLES = {
    "completed": "green",
    "processing": "cyan",
    "paused": "yellow",
    "failed": "red",
    "cancelled": "dim",
}
SPEAKER_STYLES = {"user": "bold cyan", "assistant": "bold green"}


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, the field it shows, and how.

    A `whole` column is never folded: ids and keys are there to be copied. Neighbours of the same
    `stack` share one column where the terminal is narrow, a line each.
    """

    heading: str
    field: str
    format: Callable[[Any], str] = plain
    whole: bool = False
    stack: str | None = None


FLAGS = (
    Column("Turn", "turn_number"),
    Column("Flag", "code", whole=True),
    Column("Severity", "severity"),
    Column("What", "message"),
)


def make_console(*, stderr: bool = False) -> "Console":
    """Make a console that does not interpret markup in data or wrap piped tables at 80 columns."""
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPED_WIDTH
    return console


def table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[Column], *, width: int = PIPED_WIDTH
) -> "Table":
    """Lay records out in rows, for a console of that width; a missing field shows as "-"."""
    from rich import box
    from rich.table import Table

    result = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    stacks = _stacks(columns, narrow=width < NARROW_WIDTH)
    for stack in stacks:
        heading = "\n".join(column.heading for column in stack)
        result.add_column(heading, no_wrap=any(one.whole for one in stack), overflow="fold")
    for row in rows:
        result.add_row(*(_cell(row, stack) for stack in stacks))
    return result


def _stacks(columns: Sequence[Column], *, narrow: bool) -> list[list[Column]]:
    stacks: list[list[Column]] = []
    for column in columns:
        if narrow and column.stack and stacks and stacks[-1][0].stack == column.stack:
            stacks[-1].append(column)
        else:
            stacks.append([column])
    return stacks


def _cell(row: Mapping[str, Any], stack: Sequence[Column]) -> "Text":
    from rich.text import Text

    lines = []
    for column in stack:
        value = row.get(column.field)
        style = STATUS_STYLES.get(str(value), "") if column.field == "status" else ""
        lines.append(Text(column.format(value), style=style))
    return Text("\n").join(lines)


def record(fields: Mapping[str, Any]) -> "Table":
    """Lay one record out, a field a line."""
    from rich.table import Table
    from rich.text import Text

    result = Table.grid(padding=(0, 2))
    result.add_column(no_wrap=True)
    result.add_column(overflow="fold")
    for name, value in fields.items():
        result.add_row(Text(name, style="bold"), Text(plain(value)))
    return result


def print_conversation(
    console: "Console", conversation: Mapping[str, Any], turns: Sequence[Mapping[str, Any]]
) -> None:
    """Print a conversation in full: a header, its quality, and each turn with its emotions."""
    from rich.padding import Padding
    from rich.rule import Rule
    from rich.text import Text

    console.print(Rule(Text(plain(conversation.get("conversation_name")), style="bold")))
    console.print(record(_header(conversation)))
    print_quality(console, conversation)
    if conversation.get("judgement"):
        console.print(Text("\nJudged, as advice only:", style="bold"))
        console.print(record(_judgement(conversation["judgement"])))
    flagged = conversation.get("flag_details") or []
    for turn in turns:
        flags = [one for one in flagged if one["turn_number"] == turn["turn_number"]]
        heading = Text(f"\n{turn['turn_number']}. {plain(turn['role'])}")
        heading.stylize(SPEAKER_STYLES.get(turn["role"], "bold"))
        heading.append(f"  {_emotion(turn.get('emotional_context') or {})}", style="dim")
        console.print(heading)
        for flag in flags:
            said = f"{plain(flag['code'])} ({plain(flag['severity'])}): {plain(flag['message'])}"
            console.print(Padding(Text(f"flagged: {said}", style="bold red"), (0, 0, 0, 3)))
        console.print(Padding(Text(plain(turn["content"])), (0, 0, 0, 3)))
    if not turns:
        console.print(Text("\nNo turns are stored for this conversation."))


def quality_of(conversation: Mapping[str, Any]) -> str:
    """The score and the tier in a few words."""
    score, tier = conversation.get("quality_score"), conversation.get("quality_tier")
    return "not scored" if score is None else f"quality {plain(score)} ({plain(tier)})"


def print_quality(console: "Console", conversation: Mapping[str, Any]) -> None:
    """Print the reason for every sub-score, the pairs' scores, and every flag with its turn."""
    from rich.text import Text

    if reasons := conversation.get("quality_reasons"):
        console.print(Text(f"\n{quality_of(conversation).capitalize()}:", style="bold"))
        parts = [plain(reason).partition(": ") for reason in reasons]
        console.print(record({name: sentence for name, _, sentence in parts}))
    if criteria := conversation.get("quality_criteria"):
        known = (f"{name} {value}" for name, value in criteria.items() if value is not None)
        console.print(record({"scores of its pairs": names(known)}))
    if flags := conversation.get("flag_details"):
        console.print(Text("\nFlagged:", style="bold red"))
        console.print(table(flags, FLAGS, width=console.width))


def _header(conversation: Mapping[str, Any]) -> dict[str, Any]:
    scaffolding = ("persona_key", "emotional_arc_key", "training_topic_key")
    cost = money(conversation.get("cost_usd"))
    return {
        "id": conversation.get("conversation_id"),
        "status": conversation.get("status"),
        "quality": quality_of(conversation),
        "flags": names(conversation.get("flags")),
        "scaffolding": " · ".join(plain(conversation.get(name)) for name in scaffolding),
        "tier": conversation.get("tier"),
        "model": conversation.get("model"),
        "cost": f"{cost} (simulated)" if conversation.get("simulated") else cost,
        "tokens": tokens(conversation),
        "created": conversation.get("created_at"),
    }


def _judgement(judged: Mapping[str, Any]) -> dict[str, Any]:
    cost = money(judged["cost_usd"])
    verdicts = {
        name: f"{verdict['score']}: {plain(verdict['reason'])}"
        for name, verdict in judged["criteria"].items()
    }
    return {
        "score": judged["score"],
        "by": f"{judged['model']}, rubric {judged['rubric_version']}",
        "cost of judging": f"{cost} (simulated)" if judged["simulated"] else cost,
        "tokens": tokens(judged),
        **verdicts,
    }


def _emotion(context: Mapping[str, Any]) -> str:
    emotions = [context.get("primary_emotion"), context.get("secondary_emotion")]
    named = ", ".join(plain(emotion) for emotion in emotions if emotion)
    intensity = context.get("intensity")
    return named if intensity is None else f"{named} {float(intensity):.2f}"
