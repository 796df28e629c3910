"""An adapter's verdict against its base model, for human readers."""

from typing import Any

from cli.client import Document
from cli.text import plain


def headline(verdict: Document | None) -> str:
    """Say in a sentence whether the adapter is better than its base."""
    return plain(verdict["headline"]) if verdict else "Unknown: there is no verdict."


def outcome(verdict: Document | None) -> str:
    """Say it in a word or two."""
    return "unknown" if not verdict else plain(verdict["outcome"]).replace("_", " ")


def verdict_fields(verdict: Document | None, held_out: Document | None) -> dict[str, Any]:
    """The verdict in a record's fields, the sentence first; None of them without a verdict."""
    if not verdict:
        return {}
    score = "none" if verdict["score"] is None else f"{verdict['score']}/5 ({verdict['quality']})"
    fields = {"verdict": headline(verdict), "score": score, "score_basis": verdict["basis"]}
    if held_out and held_out["tokens"]:
        fields["held_out"] = (
            f"{held_out['pairs']} pairs of {held_out['conversations']} conversations, "
            f"{held_out['tokens']} answer tokens"
        )
        fields["method"] = held_out["method"]
    return fields
