"""One action about many conversations: what it would touch, asking, acting, and the outcome."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.batch_conversations import read_conversation
from cli.client import Document
from cli.errors import ExitCode, InterruptedByUserError, UsageError
from cli.invocation import Invocation
from cli.render import Column, table
from cli.text import number

if TYPE_CHECKING:
    from rich.console import Console

BULK = "/api/conversations/bulk-action"
MOST_AT_ONCE = 100  # the API's own maximum
MOST_SHOWN = 5
"""Conversations that are shown before a question."""
DONE = {
    "approve": "approved",
    "reject": "rejected",
    "archive": "archived",
    "reopen": "reopened",
    "delete": "deleted",
}
TOUCHED = ("updated", "deleted")

RESULTS = (
    Column("Id", "conversationId", whole=True),
    Column("Outcome", "outcome"),
    Column("Status", "status"),
    Column("Version", "version"),
)
FIRST = (
    Column("Id", "conversation_id", whole=True),
    Column("Name", "conversation_name"),
    Column("Status", "status"),
    Column("Quality", "quality_score"),
)


@dataclass(frozen=True, kw_only=True)
class Caution:
    """Whether an action is only tried out, and whether it asks."""

    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would be touched; change nothing.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False


@dataclass(frozen=True)
class BulkAction:
    """An action and the conversations it is about: ids, or the filters that find them."""

    run: Invocation
    action: str
    ids: list[str]
    wanted: Document
    reason: str | None

    def __post_init__(self) -> None:
        if bool(self.ids) == bool(self.wanted):
            raise UsageError(
                f"Give either conversations or filters to {self.action}, not both or neither."
            )

    def perform(self, caution: Caution) -> ExitCode:
        """Try it out, ask, act and answer, as far as the options and --json have it.

        Exits 1 if a conversation was not found or changed meanwhile.
        """
        if caution.dry_run:
            plan = self._plan()
            self.run.answer(plan, lambda console: self._show_plan(console, plan))
            return _exit_code(plan)
        if not caution.yes and not self.run.as_json:
            plan = self._plan()
            self._show_plan(self.run.console, plan)
            if not plan["touched"]:
                return _exit_code(plan)
            question = f"{self.action.capitalize()} {number(plan['touched'])} conversation(s)?"
            if not typer.confirm(question):
                raise InterruptedByUserError(f"Nothing was {DONE[self.action]}.")
        outcome = self._act()
        self.run.answer(outcome, lambda console: self._show_outcome(console, outcome))
        return _exit_code(outcome)

    def _plan(self) -> Document:
        """What would happen; `touched` counts also what a filter finds beyond the results."""
        answers = [self._ask({**body, "dryRun": True}) for body in self._requests()]
        plan = _collected(answers)
        touched = sum(plan["summary"][name] for name in TOUCHED) + plan["remaining"]
        plan["success"] = _is_clean(plan["summary"])  # what remains is not left over, only later
        return {**plan, "dry_run": True, "touched": touched}

    def _act(self) -> Document:
        """Send as many requests as needed, as one action that can be undone as one."""
        answers: list[Document] = []
        name: Document = {}
        for body in self._requests():
            while True:
                answer = self._ask({**body, **name})
                answers.append(answer)
                if answer.get("bulk_action_id"):
                    name = {"bulkActionId": answer["bulk_action_id"]}
                progress = any(answer["summary"].get(one) for one in TOUCHED)
                if not answer["remaining"] or not progress:
                    break
        return {**_collected(answers), "bulk_action_id": name.get("bulkActionId")}

    def _requests(self) -> Iterator[Document]:
        asked = {"action": self.action} | ({"reason": self.reason} if self.reason else {})
        if self.wanted:
            yield {**asked, "filter": self.wanted}
        for begin in range(0, len(self.ids), MOST_AT_ONCE):
            yield {**asked, "conversationIds": self.ids[begin : begin + MOST_AT_ONCE]}

    def _ask(self, body: Document) -> Document:
        return self.run.client.post(BULK, body)

    def _show_plan(self, console: "Console", plan: Document) -> None:
        done = DONE[self.action]
        console.print(f"{number(plan['touched'])} conversation(s) would be {done}.")
        first = [one for one in plan["results"] if one["outcome"] in TOUCHED][:MOST_SHOWN]
        if first:
            read = (read_conversation(self.run.client, one["conversationId"]) for one in first)
            rows = [answer["conversation"] for answer in read]
            console.print(table(rows, FIRST, width=console.width))
        if more := plan["touched"] - len(first):
            console.print(f"And {number(more)} more.")
        show_rest(console, plan, f"would not be {done}")
        if self.action == "delete":
            console.print("Deleting cannot be undone; the audit trail and training files stay.")

    def _show_outcome(self, console: "Console", outcome: Document) -> None:
        done = sum(outcome["summary"][name] for name in TOUCHED)
        console.print(f"{DONE[self.action].capitalize()} {number(done)} conversation(s).")
        show_rest(console, outcome, f"were not {DONE[self.action]}")
        if outcome["remaining"]:
            console.print(f"{number(outcome['remaining'])} more match; repeat the command.")
        if action_id := outcome["bulk_action_id"]:
            console.print(f"Undo it with `brightrun conversations undo {action_id}`.")


def undo_action(run: Invocation, action_id: str) -> Document:
    """Undo an action page by page; raises NotFoundError if there is none."""
    answers: list[Document] = []
    cursor = None
    while True:
        answer = run.client.post(f"{BULK}/{action_id}/undo", params={"cursor": cursor})
        answers.append(answer)
        cursor = answer["next_cursor"]
        if cursor is None:
            return _collected(answers)


def show_rest(console: "Console", document: Document, words: str) -> None:
    """Show the results of those that an action does not touch, if there are any."""
    left = [one for one in document["results"] if one["outcome"] not in TOUCHED]
    if left:
        console.print(f"{number(len(left))} {words}:")
        console.print(table(left, RESULTS, width=console.width))


def _collected(answers: list[Document]) -> Document:
    """The results of several answers as one; `remaining` is that of the last one."""
    results: list[Any] = [one for answer in answers for one in answer["results"]]
    outcomes = [result["outcome"] for result in results]
    names = (*TOUCHED, "unchanged", "not_found", "conflict")
    summary = {"total": len(outcomes), **{name: outcomes.count(name) for name in names}}
    remaining = answers[-1].get("remaining") or 0
    return {
        "success": _is_clean(summary) and not remaining,
        "summary": summary,
        "results": results,
        "remaining": remaining,
    }


def _is_clean(summary: Document) -> bool:
    return not (summary["not_found"] or summary["conflict"])


def _exit_code(document: Document) -> ExitCode:
    return ExitCode.OK if document["success"] else ExitCode.JOB_NOT_SUCCESSFUL
