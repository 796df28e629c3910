"""The conversations of a batch: which they are, and how good they are."""

from collections import Counter
from typing import TYPE_CHECKING, Any

from cli.client import ApiClient, Document, segment
from cli.render import print_conversation, print_quality, quality_of, record
from cli.text import number, plain

if TYPE_CHECKING:
    from rich.console import Console

WEAKEST = 5
"""Conversations whose reasons a report shows."""


def conversations_of(client: ApiClient, job_id: str) -> list[Document]:
    """The conversations of a batch, newest first."""
    pages = client.pages("/api/conversations", "conversations", {"batch_job_id": job_id})
    return [one for page in pages for one in page["conversations"]]


def read_conversation(client: ApiClient, conversation_id: str, *, turns: bool = False) -> Document:
    """One conversation in full, with its turns on request."""
    path = f"/api/conversations/{segment(conversation_id)}"
    return client.get(path, {"includeTurns": "true"} if turns else None)


def quality_report(client: ApiClient, job_id: str) -> Document:
    """What a batch's conversations are worth: counts, scores, flags, and the weakest with reasons.

    The average is that of the scored ones, and None if there are none.
    """
    found = conversations_of(client, job_id)
    scored = [one for one in found if one.get("quality_score") is not None]
    scores = [float(one["quality_score"]) for one in scored]
    weakest = sorted(scored, key=lambda one: float(one["quality_score"]))[:WEAKEST]
    return {
        "conversations": len(found),
        "scored": len(scored),
        "average_quality_score": round(sum(scores) / len(scores), 2) if scores else None,
        "lowest_quality_score": min(scores, default=None),
        "highest_quality_score": max(scores, default=None),
        "by_quality_tier": Counter(str(one["quality_tier"]) for one in scored),
        "by_flag": Counter(flag for one in found for flag in one.get("flags") or ()),
        "flagged": sum(bool(one.get("flags")) for one in found),
        "weakest": [
            read_conversation(client, one["conversation_id"])["conversation"] for one in weakest
        ],
    }


def show_quality_report(console: "Console", report: Document) -> None:
    """Show the counts, then each of the weakest with the reasons for its score and its flags."""
    from rich.text import Text

    console.print(record(_summary(report)))
    for conversation in report["weakest"]:
        named = plain(conversation.get("conversation_name"))
        console.print(Text(f"\n{conversation['conversation_id']}  {named}", style="bold"))
        print_quality(console, conversation)


def show_conversations(console: "Console", answers: list[Document]) -> None:
    """Print conversations in full, then one line for the score of each."""
    for answer in answers:
        print_conversation(console, answer["conversation"], answer.get("turns") or [])
    for answer in answers:
        one = answer["conversation"]
        console.print(f"{one['conversation_id']}: {quality_of(one)}", soft_wrap=True)


def _summary(report: Document) -> dict[str, Any]:
    scores = [report[f"{name}_quality_score"] for name in ("average", "lowest", "highest")]
    average, lowest, highest = scores
    return {
        "conversations": f"{number(report['conversations'])}, {number(report['scored'])} scored",
        "quality": None if average is None else f"{average} on average, {lowest} to {highest}",
        "tiers": _counts(report["by_quality_tier"]),
        "flagged": f"{number(report['flagged'])}"
        + (f": {_counts(report['by_flag'])}" if report["by_flag"] else ""),
    }


def _counts(counts: dict[str, int]) -> str | None:
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return ", ".join(f"{plain(name)} {number(count)}" for name, count in ordered) or None
