"""Chat templates: a pair to token ids and the exact span of its answer, on any template.

The span is found by rendering twice, with the answer and with only the generation prompt, so a
template needs no marks of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from brightrun.sft.data import DataReport, Message, TrainingPair, listed
from brightrun.sft.errors import DatasetError, ModelError

PROBE = "system probe 7f3a"

Render = Callable[[Sequence[Message], bool], str]


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
    """How one base model writes a conversation.

    `render(messages, add_generation_prompt)` gives the text and raises ValueError for messages
    that the template refuses; `encode` adds no special tokens; `stop_ids` may end an answer.
    """

    render: Render
    encode: Callable[[str], list[int]]
    stop_ids: frozenset[int]
    folds_system: bool = False

    def example(self, pair: TrainingPair, max_tokens: int, report: DataReport) -> Example | None:
        """The pair as tokens; None, and counted, when even its last exchange is too long.

        Raises what `fit` raises.
        """
        fitted = self.fit(pair, max_tokens)
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

        Never drops its system prompt or a token of the answer. Raises DatasetError when the
        template refuses the row, ModelError when the template cannot be trained on.
        """
        messages = list(pair.messages)
        head = 1 if messages[0]["role"] == "system" else 0
        users = [i for i in range(head + 1, len(messages)) if messages[i]["role"] == "user"]
        whole = self._span(messages, 0, pair.source)
        if fits(whole, max_tokens) or not users:
            return whole

        def without(turns: int) -> Fitted:
            kept = [*messages[:head], *messages[head + turns :]]
            return replace(self._span(kept, turns, pair.source), whole=whole.whole)

        # Fewer turns are fewer tokens, so the first cut that fits is found by halving.
        cuts = [user - head for user in users]
        last = len(cuts) - 1
        first = bisect_left(range(last), True, key=lambda i: fits(without(cuts[i]), max_tokens))
        return without(cuts[first])

    def _span(self, messages: list[Message], dropped: int, source: str) -> Fitted:
        text, border = self._answer_border(messages, source)
        ids, start = self._answer_ids(text, border)
        return Fitted(text, border, ids, start, dropped, len(ids))

    def _answer_border(self, messages: list[Message], source: str) -> tuple[str, int]:
        shown = self._folded(messages) if self.folds_system else messages
        try:
            # What follows the stop token is the template's own white space, never generated.
            full = self.render(shown, False).rstrip()
            prompt = self.render(shown[:-1], True)
        except ValueError as error:
            raise DatasetError(f"{source}: the chat template refuses this row: {error}") from error
        if not full.startswith(prompt):
            tail = prompt[-40:]
            raise ModelError(
                f"the chat template's generation prompt ends in {tail!r}, which its rendering of "
                "an answer does not contain; set template_variables so that the two agree."
            )
        return full, len(prompt)

    def _answer_ids(self, full: str, border: int) -> tuple[list[int], int]:
        ids, context = self.encode(full), self.encode(full[:border])
        if ids[: len(context)] != context:
            # A token would span the border; at inference the model starts right after it.
            ids = context + self.encode(full[border:])
        if ids[-1] not in self.stop_ids:
            raise ModelError(
                "the chat template does not close an answer with a stop token, so an adapter "
                "trained with it would never stop; use an instruct model's template."
            )
        return ids, len(context)

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


def writes_system(render: Render) -> bool:
    """Whether the template writes a system message; some refuse it, some drop it in silence."""
    probe = [{"role": "system", "content": PROBE}, {"role": "user", "content": "x"}]
    try:
        return PROBE in render(probe, True)
    except ValueError:
        return False
