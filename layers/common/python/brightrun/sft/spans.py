"""The text of one answer as a chat template has it: what inference shows, and what must follow.

A template is a program that says nothing about its parts. They are found by rendering: the context
is the rendering that inference makes, up to the generation prompt; what follows the answer is seen
where a marker stands in its place. tests/unit/sft/test_spans.py has a template of every form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brightrun.sft.data import Message

Render = Callable[[Sequence[Mapping[str, Any]], bool], str]

SYSTEM, QUESTION, ANSWER = "system probe 7f3a", "question probe 7f3a", "answer probe 7f3a"

_UNIT = re.compile(r"<[^<>\s]*>|\[[^\[\]\s]*\]|\w+|\s+|.", re.DOTALL)
"""What is compared of two renderings: a tag, a word, white space or one other character."""

_THINKING = re.compile(
    r"(?:<\|?|\[)(?P<end>/|END_)?(?:START_)?[\w:]*(?:think|thought|reason)\w*(?:\|?>|\])", re.I
)
"""A tag around reasoning: `<think>`, `</think>`, `[THINK]`, `<seed:think>`, `<|END_THINKING|>`."""


class AnswerRefusedError(Exception):
    """An answer that this template cannot teach; `code` is counted, `message` says how to mend it.

    Codes: template_error, context_dropped, answer_changed, reasoning_dropped, no_stop_token,
    unknown_characters.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Frame:
    """What stands around an answer: what leads to it after the prompt, and what closes it.

    `opening` is the end of the prompt, from the question on; `before` is what the rendering of an
    answer has there.
    """

    opening: str
    before: str
    lead: str
    closing: str

    def kept(self, answer: str, written: str) -> str | None:
        """The answer with its lead, as `written` has it up to its closing; None if not in full."""
        if not written.endswith(self.closing):
            return None
        body = written.removesuffix(self.closing)
        if any(body == self.lead + form for form in _trimmed(answer)):
            return body
        return body if _THINKING.search(answer) and _keeps_reasoning(answer, body) else None


@dataclass(frozen=True)
class SpanFinder:
    """A template's rendering, and the special tokens of its tokenizer by their text."""

    render: Render
    special_tokens: frozenset[str]
    eos_token: str | None

    def span(self, messages: Sequence[Message]) -> tuple[str, int]:
        """The context and the last message as its answer, in one text, and where the answer begins.

        What begins there is what the model must generate after the prompt that inference shows:
        where the prompt opens a block of reasoning, its end; the answer's own words, of which the
        template may change the white space at the ends; the stop token. Raises AnswerRefusedError
        where that cannot be had.
        """
        prompt, full = self._rendered(messages[:-1], True), self._rendered(messages, False).rstrip()
        self._require_context(messages[:-1], prompt)
        answer, frame = messages[-1]["content"], self._usual_frame
        written = full.removeprefix(prompt) if full.startswith(prompt) else None
        body = frame.kept(answer, written) if frame and written is not None else None
        if frame is None or body is None:
            frame = self._frame(messages)
            if not prompt.endswith(frame.opening):
                raise _unfollowed()
            body = frame.kept(answer, written) if written is not None else None
        if body is None:
            body = _rebuilt(answer, frame, full)
        tag = _open_tag(frame.opening)
        if tag and body.lstrip().startswith(tag):
            # The prompt has opened the reasoning with which the answer begins.
            body = body.lstrip().removeprefix(tag).lstrip()
        return prompt + body + self._closed(frame.closing), len(prompt)

    def _require_context(self, history: Sequence[Message], prompt: str) -> None:
        """Refuse a row whose system prompt or question inference would not see either."""
        first, last = history[0], history[-1]
        if all(one["content"].strip() in prompt for one in (first, last)):
            return
        # Templates may take commands out of a text, or change its white space.
        marked = [*history[:-1], {**last, "content": QUESTION + last["content"].lstrip()}]
        marks = [QUESTION]
        if first["role"] == "system":
            marked[0] = {**first, "content": SYSTEM + first["content"].lstrip()}
            marks.append(SYSTEM)
        shown = self._rendered(marked, True)
        if not all(mark in shown for mark in marks):
            raise AnswerRefusedError(
                "context_dropped", "the chat template leaves out the system prompt or the question."
            )

    def _rendered(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        try:
            return self.render(messages, add_generation_prompt)
        except ValueError as error:
            message = f"the chat template refuses it: {error}"
            raise AnswerRefusedError("template_error", message) from error

    @cached_property
    def _usual_frame(self) -> Frame | None:
        """The frame of most answers, so that they need no rendering of their own to find it."""
        question = {"role": "user", "content": ""}
        try:
            return self._frame([question, {"role": "assistant", "content": ""}])
        except AnswerRefusedError:
            return None

    def _frame(self, messages: Sequence[Message]) -> Frame:
        """The frame of the last message, found with markers in its place and in the question's."""
        *history, question, answer = messages
        # The question's words stay: some templates look for commands in them.
        asked = {**question, "content": QUESTION + question["content"].lstrip()}
        marked = [*history, asked, {**answer, "content": ANSWER}]
        opening = self._rendered(marked[:-1], True).rpartition(QUESTION)[2]
        after = self._rendered(marked, False).rpartition(QUESTION)[2]
        before, found, closing = after.partition(ANSWER)
        if not found:
            raise _unfollowed()
        return Frame(opening, before, _lead(opening, before), closing.rstrip())

    def _closed(self, closing: str) -> str:
        """What follows an answer, up to its stop token: one is added where the template has none.

        What follows the tokenizer's own end token is never generated.
        """
        if self.eos_token and self.eos_token in closing:
            return closing.partition(self.eos_token)[0] + self.eos_token
        ends = [closing.find(one) + len(one) for one in self.special_tokens if one in closing]
        if ends:
            return closing if closing.endswith(tuple(self.special_tokens)) else closing[: min(ends)]
        if not self.eos_token:
            message = "neither the chat template nor the tokenizer has a stop token"
            raise AnswerRefusedError(
                "no_stop_token", f"{message}, so that the adapter would never stop."
            )
        return closing + self.eos_token


def _unfollowed() -> AnswerRefusedError:
    return AnswerRefusedError(
        "answer_changed", "the chat template does not write the answer after its question."
    )


def _trimmed(answer: str) -> tuple[str, ...]:
    return answer, answer.lstrip(), answer.rstrip(), answer.strip()


def _keeps_reasoning(answer: str, body: str) -> bool:
    """Whether all its words are there: templates put white space around the tags of reasoning."""
    parts = [part for part in (one.strip() for one in _THINKING.split(answer)[::2]) if part]
    at = 0
    for part in parts:
        found = body.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return not parts or body.rstrip().endswith(parts[-1])


def _rebuilt(answer: str, frame: Frame, full: str) -> str:
    """The answer with its lead, put together: `full` is not a continuation of the prompt."""
    shown = full.removesuffix(frame.closing)
    for form in _trimmed(answer):
        if shown.endswith(frame.before + form):
            return frame.lead + form
    return _reasoned(answer.strip(), frame)


def _lead(opening: str, before: str) -> str:
    """What must be generated between the generation prompt and the words of an answer.

    `opening` is the prompt after the question, `before` what the template writes between question
    and answer. White space aside, what both begin with is said already.
    """
    if before.startswith(opening):
        return before.removeprefix(opening)
    said, written = _UNIT.findall(opening), _UNIT.findall(before)
    ours = theirs = 0
    while True:
        while ours < len(said) and said[ours].isspace():
            ours += 1
        rest = theirs
        while rest < len(written) and written[rest].isspace():
            rest += 1
        if ours == len(said) or rest == len(written) or said[ours] != written[rest]:
            break
        ours, theirs = ours + 1, rest + 1
    more, left = "".join(said[ours:]), "".join(written[theirs:])
    if opening[-1:].isspace() or more:
        left = left.lstrip()
    if left.strip() and more.rstrip().endswith(left.strip()):
        return ""
    return _close_reasoning(opening, left)


def _close_reasoning(opening: str, left: str) -> str:
    tag = _open_tag(opening)
    if not tag:
        return left
    end = _end_tag(tag)
    if end in left:
        return left
    return f"\n{end}\n\n{left}" if opening[-1:].isspace() else f"{end}{left}"


def _open_tag(opening: str) -> str | None:
    """The tag of reasoning that the prompt ends in, if it is an opening one."""
    *_, last = [None, *_THINKING.finditer(opening)]
    if last is None or last["end"] or opening[last.end() :].strip():
        return None
    return last[0]


def _end_tag(tag: str) -> str:
    if "START_" in tag:
        return tag.replace("START_", "END_")
    return f"{tag[0]}/{tag[1:]}"


def _reasoned(answer: str, frame: Frame) -> str:
    """An answer whose reasoning the template does not write, as it must follow the prompt."""
    if not _THINKING.search(answer):
        raise AnswerRefusedError(
            "answer_changed", "the chat template does not write the whole answer as it is."
        )
    tag = _open_tag(frame.opening)
    if tag and _end_tag(tag) in answer:
        return answer
    if _THINKING.search(frame.opening) or _THINKING.search(frame.lead):
        raise AnswerRefusedError(
            "reasoning_dropped",
            "the chat template leaves the reasoning out of the answer; set template_variables so "
            "that it thinks, or take the reasoning out of the dataset.",
        )
    return frame.lead + answer
