"""Chat templates: a pair to token ids and the exact span of its answer, on any template.

spans.py finds the span in the text; a template needs no marks of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from brightrun.sft.data import DataReport, Message, TrainingPair, listed
from brightrun.sft.spans import ANSWER, QUESTION, SYSTEM, AnswerRefusedError, Render, SpanFinder


@dataclass
class Example:
    """Token ids with the half-open spans [start, end) that carry loss; `pairs` answers in all."""

    ids: list[int]
    spans: list[tuple[int, int]]
    conversation_id: str
    pairs: int = 1

    def targets(self) -> int:
        """How many tokens carry loss."""
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True)
class Fitted:
    """A pair as the model sees it: `text` whose answer begins at `border`, `ids` at `start`.

    `dropped` turns of its history were left out to make it fit; `whole` is its length in tokens
    before that. One whose last exchange alone is too long is longer than was asked for.
    """

    text: str
    border: int
    ids: list[int]
    start: int
    dropped: int
    whole: int


@dataclass(frozen=True)
class ChatFormat:
    """How one base model writes a conversation; `chat_format_of` makes one.

    `render(messages, add_generation_prompt)` gives the text and raises ValueError for messages
    that the template refuses; `encode` adds no special tokens. `special_tokens` are the tokens that
    may end an answer, by their text; `eos_token` is the one that ends any, `unk_token` stands for
    characters that the tokenizer does not know.
    """

    render: Render
    encode: Callable[[str], list[int]]
    special_tokens: Mapping[str, int]
    eos_token: str | None
    unk_token: str | None = None
    folds_system: bool = False

    @cached_property
    def _stop_ids(self) -> frozenset[int]:
        return frozenset(self.special_tokens.values())

    @cached_property
    def _spans(self) -> SpanFinder:
        return SpanFinder(self.render, frozenset(self.special_tokens), self.eos_token)

    def example(self, pair: TrainingPair, max_tokens: int, report: DataReport) -> Example | None:
        """The pair as tokens; None, and counted, when it cannot be taught or is too long.

        It is too long when even its last exchange is.
        """
        try:
            fitted = self.fit(pair, max_tokens)
        except AnswerRefusedError as refusal:
            report.refuse(refusal.code, refusal.message, pair.source)
            return None
        if not fits(fitted, max_tokens):
            report.pairs_too_long += 1
            report.truncated_tokens += fitted.whole
            listed(report.too_long_sources, pair.source)
            return None
        if fitted.dropped:
            report.pairs_with_dropped_history += 1
            report.history_turns_dropped += fitted.dropped
            report.truncated_tokens += fitted.whole - len(fitted.ids)
        return Example(fitted.ids, [(fitted.start, len(fitted.ids))], pair.conversation_id)

    def fit(self, pair: TrainingPair, max_tokens: int) -> Fitted:
        """The pair without as many of its oldest turns as it takes to fit.

        Never drops its system prompt or a token of the answer. Raises AnswerRefusedError when the
        template cannot teach the answer.
        """
        messages = list(pair.messages)
        head = 1 if messages[0]["role"] == "system" else 0
        users = [i for i in range(head + 1, len(messages)) if messages[i]["role"] == "user"]
        whole = self._span(messages, 0)
        if fits(whole, max_tokens) or not users:
            return whole

        def without(turns: int) -> Fitted:
            kept = [*messages[:head], *messages[head + turns :]]
            return replace(self._span(kept, turns), whole=whole.whole)

        # Fewer turns are fewer tokens, so the first cut that fits is found by halving.
        cuts = [user - head for user in users]
        last = len(cuts) - 1
        first = bisect_left(range(last), True, key=lambda i: fits(without(cuts[i]), max_tokens))
        return without(cuts[first])

    def _span(self, messages: list[Message], dropped: int) -> Fitted:
        text, border = self._spans.span(self._folded(messages) if self.folds_system else messages)
        ids, start = self._answer_ids(text, border)
        return Fitted(text, border, ids, start, dropped, len(ids))

    def _answer_ids(self, full: str, border: int) -> tuple[list[int], int]:
        ids, context = self.encode(full), self.encode(full[:border])
        if ids[: len(context)] != context:
            # A token would span the border; at inference the model starts right after it.
            ids = context + self.encode(full[border:])
        if ids[-1] not in self._stop_ids:
            raise AnswerRefusedError(
                "no_stop_token", "the tokenizer does not read the answer's stop token as one."
            )
        if self._has_unknown(ids[len(context) :], full[border:]):
            raise AnswerRefusedError(
                "unknown_characters", "the tokenizer does not know all characters of the answer."
            )
        return ids, len(context)

    def _has_unknown(self, ids: Sequence[int | None], text: str) -> bool:
        if not self.unk_token or self.unk_token in text:
            return False
        return self.special_tokens.get(self.unk_token) in ids

    def _folded(self, messages: list[Message]) -> list[Message]:
        """The system prompt at the head of the first user turn, for templates without one."""
        if messages[0]["role"] != "system":
            return messages
        system, rest = messages[0], list(messages[1:])
        first = next(i for i, message in enumerate(rest) if message["role"] == "user")
        opening = f"{system['content']}\n\n{rest[first]['content']}"
        rest[first] = {"role": "user", "content": opening}
        return rest


def fits(fitted: Fitted, max_tokens: int) -> bool:
    """Whether it is short enough."""
    return len(fitted.ids) <= max_tokens


def chat_format_of(
    render: Render,
    encode: Callable[[str], list[int]],
    special_tokens: Mapping[str, int],
    *,
    eos_token: str | None,
    unk_token: str | None,
) -> ChatFormat:
    """The chat format around a template's rendering: in which form it takes what, by trying.

    Some templates take a message's content as a list of parts alone, as servers then give it to
    them, and some have no system role.
    """
    if not _writes_messages(render) and _writes_messages(_in_parts(render)):
        render = _in_parts(render)
    folds = not _writes_system(render)
    return ChatFormat(render, encode, special_tokens, eos_token, unk_token, folds)


def _in_parts(render: Render) -> Render:
    def rendered(messages: Sequence[Mapping[str, Any]], add_generation_prompt: bool) -> str:
        parted = [
            {**message, "content": [{"type": "text", "text": message["content"]}]}
            for message in messages
        ]
        return render(parted, add_generation_prompt)

    return rendered


def _writes_messages(render: Render) -> bool:
    probe = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
    text = _tried(render, probe)
    return QUESTION in text and ANSWER in text


def _writes_system(render: Render) -> bool:
    """Whether the template writes a system message; some refuse it, some drop it in silence."""
    probe = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    return SYSTEM in _tried(render, probe)


def _tried(render: Render, messages: Sequence[Message]) -> str:
    try:
        return render(messages, messages[-1]["role"] == "user")
    except ValueError:
        return ""
