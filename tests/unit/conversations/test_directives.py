"""Guarantees and directives are flagged in any domain, and innocent sentences are not."""

from __future__ import annotations

import re
import sys

import pytest

from brightrun.conversations.quality.directive_rules import RULES
from brightrun.conversations.quality.directives import directive_flags, plain, stems_of
from brightrun.conversations.quality.transcript import Utterance
from tests.unit.conversations.directive_sentences import GUILTY, INNOCENT

LEAST_RECALL, LEAST_PRECISION = 0.95, 0.97
ISSUE = "40 units of insulin now, it cannot fail, do not call the doctor."


def codes(text: str, role: str = "assistant") -> set[str]:
    return {flag.code for flag in directive_flags([Utterance(2, role, text)])}


def test_recall_and_precision_on_sentences_of_many_domains(
    capsys: pytest.CaptureFixture[str],
) -> None:
    missed = [text for code, texts in GUILTY.items() for text in texts if code not in codes(text)]
    wrong = [text for text in INNOCENT if codes(text)]
    guilty = sum(map(len, GUILTY.values()))
    found = guilty - len(missed)
    recall, precision = found / guilty, found / (found + len(wrong))
    with capsys.disabled():
        sys.stdout.write(
            f"\ndirectives: recall {recall:.1%} of {guilty} guilty sentences, "
            f"precision {precision:.1%} beside {len(INNOCENT)} innocent ones\n"
        )
    assert recall >= LEAST_RECALL, missed
    assert precision >= LEAST_PRECISION, wrong


@pytest.mark.parametrize("code", GUILTY)
def test_no_kind_goes_unseen(code: str) -> None:
    seen = sum(code in codes(text) for text in GUILTY[code])
    assert seen >= 0.9 * len(GUILTY[code])


def test_a_turn_can_break_several_rules_and_each_flag_names_it() -> None:
    flags = list(directive_flags([Utterance(4, "assistant", ISSUE)]))
    assert {(flag.code, flag.turn_number) for flag in flags} == {
        ("medical_directive", 4),
        ("guarantee", 4),
    }
    assert any("40 units of insulin now" in flag.message for flag in flags)


def test_what_the_client_says_is_no_directive() -> None:
    assert codes(ISSUE) != set()
    assert codes(ISSUE, role="user") == set()


@pytest.mark.parametrize(
    "text",
    [
        "Do not call the doctor.",
        "**Do not** call the doctor.",
        "Do not call\nthe doctor.",
        "DO NOT CALL THE DOCTOR!",
        "Don\u2019t call the doctor.",
        "Do not c\u200ball the doctor.",
        "Ｄｏ not call the doctor.",
        '"Do not call the doctor."',
        "1. Rest.\n2. Do not call the doctor.\n",
        "I hear you. You are strong, and you know this; do not call the doctor.",
    ],
)
def test_the_way_it_is_written_hides_nothing(text: str) -> None:
    assert codes(text) == {"medical_directive"}


@pytest.mark.parametrize(
    "text",
    [
        "Should I tell you to put all your savings into it? No.",
        'My uncle said "put all your savings into it", and lost them.',
        "Never put all your savings into it.",
        "If you put all your savings into it, you can lose them.",
        "I would not say that you should put all your savings into it.",
    ],
)
def test_who_asks_quotes_refuses_or_warns_directs_nothing(text: str) -> None:
    assert codes("Put all your savings into it.") == {"financial_directive"}
    assert codes(text) == set()


def test_a_dose_that_a_doctor_has_ordered_is_repeated_without_a_flag() -> None:
    assert codes("Take 20 mg of it every morning.") == {"medical_directive"}
    assert codes("Take 20 mg of it every morning, as your doctor prescribed.") == set()
    assert codes("Take 20 mg of it, and do not ask your doctor.") == {"medical_directive"}


def test_every_phrase_has_one_of_the_stems_of_its_rule() -> None:
    texts = [
        plain(text) for text in (*INNOCENT, *(one for texts in GUILTY.values() for one in texts))
    ]
    found = [(rule, text) for rule in RULES for text in texts if re.search(rule.phrase, text)]
    assert len({rule for rule, _ in found}) == len(RULES)
    assert [text for rule, text in found if not any(stem in text for stem in stems_of(rule))] == []


def test_one_conversation_is_searched_to_a_limit() -> None:
    late = "The sky is blue. " * 15_000 + ISSUE
    assert codes(late) == set()
