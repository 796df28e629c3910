"""Chat templates: a pair to token ids and the exact span of its answer, on any template.

The span is found by rendering twice, with the answer and with only the generation prompt, so a
template needs no marks of its own. Needs neither torch nor transformers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training_container.trainer.data import LISTED_SOURCES, DataReport, Message, TrainingPair
from training_container.trainer.errors import DatasetError, ModelError

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

        An over-long pair loses its oldest turns, never its system prompt and never a token of
        the answer. Raises DatasetError when the template refuses the row, ModelError when the
        template cannot be trained on.
        """
        messages = list(pair.messages)
        head = 1 if messages[0]["role"] == "system" else 0
        dropped = 0
        while True:
            ids, start = self._answer_span(messages, pair.source)
            if len(ids) <= max_tokens:
                break
            cut = _next_user(messages, head + 1)
            if cut is None:
                _count_too_long(pair, report)
                return None
            dropped += cut - head
            del messages[head:cut]
        if dropped:
            report.pairs_with_dropped_history += 1
            report.history_turns_dropped += dropped
        return Example(ids, [(start, len(ids))], pair.conversation_id)

    def _answer_span(self, messages: list[Message], source: str) -> tuple[list[int], int]:
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
        ids, context = self.encode(full), self.encode(prompt)
        if ids[: len(context)] != context:
            # A token would span the border; at inference the model starts right after it.
            ids = context + self.encode(full[len(prompt) :])
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


def _count_too_long(pair: TrainingPair, report: DataReport) -> None:
    report.pairs_too_long += 1
    if len(report.too_long_sources) < LISTED_SOURCES:
        report.too_long_sources.append(pair.source)


def _next_user(messages: Sequence[Message], first: int) -> int | None:
    """Where the next later exchange begins; None when only the last one is left."""
    starts = (i for i in range(first, len(messages)) if messages[i]["role"] == "user")
    return next(starts, None)


def chat_format(tokenizer: Any, variables: Mapping[str, Any]) -> ChatFormat:
    """The chat format of a Hugging Face tokenizer; ModelError when it has no chat template."""
    from jinja2 import TemplateError

    if not tokenizer.chat_template:
        raise ModelError("the tokenizer has no chat template; choose an instruct model.")

    def render(messages: Sequence[Message], add_generation_prompt: bool) -> str:
        try:
            text = tokenizer.apply_chat_template(
                list(messages),
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                **variables,
            )
        except TemplateError as error:
            raise ValueError(str(error)) from error
        return str(text)

    def encode(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    special = {i for i, token in tokenizer.added_tokens_decoder.items() if token.special}
    return ChatFormat(
        render, encode, frozenset({*special, *tokenizer.all_special_ids}), not _has_system(render)
    )


def _has_system(render: Render) -> bool:
    """Whether the template writes a system message; some refuse it, some drop it in silence."""
    probe = [{"role": "system", "content": PROBE}, {"role": "user", "content": "x"}]
    try:
        return PROBE in render(probe, True)
    except ValueError:
        return False
