"""Texts that no conversation should have, whatever it is about."""

from __future__ import annotations

import time

import pytest

from brightrun.conversations.quality.flags import turn_flags
from brightrun.conversations.quality.text_faults import (
    LONGEST_CONVERSATION,
    LONGEST_TURN,
    MOST_TURNS,
    text_flags,
)
from brightrun.conversations.quality.transcript import Utterance

ANSWER = (
    "I hear how confusing this is, and you are not alone. Let us look at one thing today: open "
    "your last statement, and write down the balance. With that figure we decide next week."
)
MEGABYTE = 1_000_000
SECONDS = 10
"""Far more than it takes, and far less than anything that is not linear would."""


def tags(text: str) -> str:
    """The text in tag characters, which are invisible."""
    return "".join(chr(0xE0000 + ord(one)) for one in text)


def codes(*texts: str, role: str = "assistant") -> list[tuple[str, int]]:
    said = [Utterance(number, role, text) for number, text in enumerate(texts, start=1)]
    return [(flag.code, flag.turn_number) for flag in text_flags(said)]


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        "One line.\nAnother.\r\nA third\twith a tab.",
        "---------------------------------------\nA heading\n=======================",
        "| 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 | 0 |",
        "Noooooooo! Ha ha ha ha. No, no, no, no, no!",
        "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f469",
        f"\U0001f3f4{tags('gbeng')}\U000e007f",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u200fABC\u200e \u05e9\u05dc\u05d5\u05dd",
        "https://example.org/a/long/path?"
        + "&".join(f"key{one}=value{one * one}" for one in range(30)),
        "\u6211\u4e0d\u660e\u767d\uff0c\u8bf7\u5e2e\u6211\u3002" * 3,
        "1. Boil water.\n2. Add salt.\n3. Add pasta.\n4. Stir.\n5. Drain.\n",
        "Use <b>bold</b> and a[0] < b[1]; f(x) |> g(x).",
        "### Instructions\nMix the flour with the eggs.",
    ],
)
def test_an_ordinary_text_has_no_flag(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x08", "\x0b", "\x1b", "\x7f", "\x85", "\x9b"]
)
def test_a_control_character_is_flagged(character: str) -> None:
    assert codes(ANSWER, f"Good{character} morning.") == [("control_character", 2)]


def test_a_carriage_return_alone_is_flagged() -> None:
    assert codes("Good\rmorning.") == [("control_character", 1)]


@pytest.mark.parametrize(
    "character", [*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]
)
def test_a_bidirectional_control_is_flagged(character: str) -> None:
    assert codes(f"Good {character}morning.") == [("bidirectional_override", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "Good\u200b\u200b\u200c\u200b morning.",
        "The profit is gua\u200branteed.",
        f"Good{tags('ignore this')} morning.",
        "Good\U000e0100\U000e0101\U000e0102 morning.",
    ],
)
def test_hidden_text_is_flagged(text: str) -> None:
    assert codes(text) == [("invisible_characters", 1)]


@pytest.mark.parametrize(
    "token",
    [
        *("<|im_end|>", "<|im_start|>", "<|eot_id|>", "<|endoftext|>", "<|start_header_id|>"),
        *("<|end|>", "<|user|>", "<|START_OF_TURN_TOKEN|>", "<|reserved_special_token_0|>"),
        *("<|fim-prefix|>", "<|return|>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
        *("[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>", "<bos>", "<eos>", "<pad>"),
        *("<unk>", "<mask>", "[MASK]", "[CLS]", "[SEP]", "[PAD]", "[TOOL_CALLS]", "[gMASK]"),
        *("[AVAILABLE_TOOLS]", "[/SYSTEM_PROMPT]", "<start_of_turn>", "<end_of_turn>"),
        *("<start_of_image>", "<end_of_utterance>", "<tool_call>", "<extra_id_0>", "<unused42>"),
        *("<fim_middle>", "\n### Response:\n", "\n### Instruction:\n"),
    ],
)
def test_a_special_token_of_a_chat_template_is_flagged(token: str) -> None:
    assert codes(ANSWER, f"Good morning. {token} Now obey.") == [("special_token", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200,
        ANSWER + " " + "o" * 30,
        "help " * 30,
        ANSWER + " yes yes yes yes yes yes yes yes yes yes",
        "I am here for you. " * 12,
        ANSWER + " I am here, I am here, I am here, I am here, I am here.",
        "I am here for you.\n" * 12,
        f"{ANSWER} " * 4,
        "haha" * 20,
        "abcabcabc" * 20,
        "\u6211\u4e0d\u660e\u767d\u3002" * 40,
        "".join(
            f"Line {number}: all is well with you, and it will stay so.\n" for number in range(60)
        ),
        "!" * 300,
        "Wait." + " " * 300 + "Well.",
        "\U0001f600" * 300,
    ],
)
def test_degenerate_repetition_in_a_turn_is_flagged(text: str) -> None:
    assert ("degenerate_repetition", 2) in codes(ANSWER, text)


def test_the_same_answer_over_and_over_is_degenerate_across_turns() -> None:
    again = "I understand. Tell me more about how that feels for you."
    said = [
        Utterance(number, "user" if number % 2 else "assistant", text)
        for number, text in enumerate([ANSWER, again, "And so?", again, "So?", again], start=1)
    ]
    assert [(flag.code, flag.turn_number) for flag in text_flags(said)] == [
        ("degenerate_repetition", 6)
    ]


def test_a_polite_phrase_said_again_is_not() -> None:
    assert codes("Thank you so much.", "It helps.", "Thank you so much.", role="user") == []


def test_an_absurdly_long_turn_word_or_conversation_is_flagged() -> None:
    words = " ".join(f"word{number}" for number in range(LONGEST_TURN))
    turn = words[: LONGEST_TURN + 1]
    assert codes(ANSWER, turn) == [("absurd_length", 2)]
    assert codes(words[:LONGEST_TURN]) == []
    assert codes("Pneumono" + "ultramicro" * 3 + "conios" + "abcdefghij" * 7) == [
        ("absurd_length", 1)
    ]
    many = [f"{number} is the number of this turn." for number in range(MOST_TURNS + 1)]
    assert ("absurd_length", MOST_TURNS + 1) in codes(*many)
    parts = [" ".join(f"{part}word{one}" for one in range(1500)) for part in range(15)]
    assert sum(map(len, parts[:13])) <= LONGEST_CONVERSATION < sum(map(len, parts))
    assert [code for code, _ in codes(*parts)] == ["absurd_length"]


@pytest.mark.parametrize(
    "unit",
    [
        *("a", " ", "\n", "'", '"', ".", ",", "\\ ", "<|", "\u200b", "1", "ab", "'a", "a.", "| "),
        *("take 40 units ", "do not call ", "sign it ", "put all your savings ", "no risk "),
        *("you should ", "names ", "I will not ", "guaranteed ", "I want to kill ", "### "),
        *("if you take ", "word and ", "by ", "100 % ", "988 "),
    ],
)
@pytest.mark.parametrize("role", ["user", "assistant"])
def test_a_megabyte_of_anything_is_searched_in_linear_time(unit: str, role: str) -> None:
    text = (unit * (MEGABYTE // len(unit) + 1))[:MEGABYTE]
    began = time.process_time()
    flags = turn_flags([{"role": role, "content": text}])
    assert time.process_time() - began < SECONDS
    assert {"absurd_length", "degenerate_repetition"} <= {flag.code for flag in flags}
