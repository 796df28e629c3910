"""A receipt for human readers: its figures, then the first rows with trained text marked."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cli.render import Column, record, table
from cli.text import plain

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

OPENING, CLOSING = "⟦", "⟧"
"""Around what is trained, where there are no colours too."""

FIGURES = (
    "refusal",
    "method",
    "rows",
    "refused",
    "refused_codes",
    "pairs",
    "total_tokens",
    "trainable_tokens",
    "masked_tokens",
    "truncated_tokens",
    "pairs_that_lost_turns",
    "rows_without_trainable_tokens",
    "train_pairs",
    "validation_pairs",
    "tokens_per_epoch_unmerged",
    "tokens_per_epoch",
    "target_tokens_per_epoch",
    "merge_factor",
    "longest_sequence",
    "epochs",
    "steps",
    "total_training_tokens",
)
TOKEN_COLUMNS = (
    Column("Special token in text", "token", whole=True),
    Column("Rows", "rows"),
    Column("First lines", "lines"),
)


def show_receipt(console: "Console", document: Mapping[str, Any]) -> None:
    """Print the figures, what was dropped, special tokens in the text, and the rows shown."""
    from rich.text import Text

    figures = {name: document[name] for name in FIGURES if document[name] is not None}
    if document["rows_without_trainable_tokens"]:
        figures["their lines"] = document["rows_without_trainable_tokens_lines"]
    dropped = {f"dropped {name}": count for name, count in document["dropped"].items() if count}
    template = document["template"]
    about = {
        "template": f"{template['name']} in {template['file']}, sha256 {template['sha256']}",
        "template begins": template["opening"],
    }
    # A system of an earlier version says neither.
    refused = {one["code"]: _refusal(one) for one in document.get("template_refusals", ())}
    if today := document.get("settings", {}).get("template_date"):
        about["template's today"] = today
    console.print(record({**figures, **dropped, **refused, **about}))
    if document["special_tokens_in_content"]:
        rows = document["special_tokens_in_content"]
        console.print(table(rows, TOKEN_COLUMNS, width=console.width))
    for row in document["shown"]:
        console.print(Text(f"\n{_heading(row)}", style="bold"))
        console.print(_marked(row), soft_wrap=True)


def _refusal(one: Mapping[str, Any]) -> str:
    return f"{one['pairs']}, from {one['sources'][0]} on: {plain(one['message'])}"


def _heading(row: Mapping[str, Any]) -> str:
    parts = [
        f"line {row['line']}",
        plain(row["conversation_id"]),
        row["side"],
        f"{row['trained_tokens']} of {row['tokens']} tokens trained",
    ]
    if row["turns_dropped"]:
        parts.append(f"without its first {row['turns_dropped']} turns")
    if not row["fits"]:
        parts.append("too long, dropped")
    return ", ".join(parts)


def _marked(row: Mapping[str, Any]) -> "Text":
    from rich.text import Text

    marked = Text()
    for segment in row["segments"]:
        text = plain(segment["text"])
        if segment["trained"]:
            marked.append(f"{OPENING}{text}{CLOSING}", style="bold green")
        else:
            marked.append(text, style="dim")
    return marked
