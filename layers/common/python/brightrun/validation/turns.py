"""The rules about who speaks when, for every format that stores a conversation as a list."""

from collections.abc import Sequence
from typing import NamedTuple

from brightrun.validation.notes import Notes


class Spoken(NamedTuple):
    """One text in canonical terms: where it stands, who speaks, what, and whether it trains."""

    place: str
    role: str
    text: str
    trains: bool


def note_order(turns: Sequence[Spoken], note: Notes) -> None:
    """Note a system message that is not first and turns that do not alternate from the user."""
    previous: Spoken | None = None
    for position, turn in enumerate(turns):
        if turn.role == "system":
            if position:
                note("misplaced_system", turn.place)
            continue
        if previous is None and turn.role != "user":
            note("first_turn_not_user", turn.place, f"it is {turn.role}")
        elif previous is not None and previous.role == turn.role:
            note("roles_do_not_alternate", turn.place, f"{turn.role} after {turn.role}")
        previous = turn


def note_answers(turns: Sequence[Spoken], place: str, note: Notes) -> None:
    """Note a conversation that nobody answers at its end, or that trains nothing."""
    if turns and turns[-1].role == "user":
        note("ends_without_answer", turns[-1].place)
    if not any(turn.trains for turn in turns):
        note("no_trainable_answer", place)
