"""The answers of Message Batches: stored, logged and read as those of single calls are."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from brightrun.batches.ask_claude import Completions, measure_failure, mending_prompt
from brightrun.batches.economy.model import custom_id
from brightrun.batches.model import BatchItem
from brightrun.claude.model import Completion, Prompt, Usage
from brightrun.core.errors import ClaudeCallError, ConversationRefusedError
from brightrun.core.ids import derived_time_ordered_id

T = TypeVar("T")
_ENDED = frozenset({"canceled", "expired"})


class BatchedAnswers(Completions):
    """Gives an item the result of its request, and says what its next request asks.

    An answer that cannot be used and can be mended ends the attempt: the item is queued again, and
    its second request tells the error, or has more room. `outcomes` counts what became of requests.
    """

    def __init__(self, *stores: Any, is_open: Callable[[], bool]) -> None:
        """`is_open` tells, by a blocking read, whether the job still wants items to be sent."""
        super().__init__(*stores)
        self._is_open = is_open
        self._results: dict[int, tuple[Completion | ClaudeCallError, datetime]] = {}
        self.outcomes: Counter[str] = Counter()

    def give(
        self, item: BatchItem, result: Completion | ClaudeCallError, sent_at: datetime
    ) -> None:
        """Keep a result for the item's `read`."""
        self._results[item.position] = result, sent_at

    async def to_ask(
        self,
        item: BatchItem,
        prompt: Prompt,
        read: Callable[[Completion], T],
        usage: Usage | None = None,
    ) -> tuple[Prompt, bool] | None:
        """What the item's request asks, and whether it mends an earlier answer.

        None if the earlier answer is the last word. Counts that in `usage`. Raises StorageError.
        """
        earlier = None
        if item.attempts > 1:
            earlier = await asyncio.to_thread(self._find, item, mending=False)
        if earlier is None:
            return self._marked(prompt), False
        completion, _ = earlier
        if usage is not None:
            self._count(usage, completion, before=True)
        try:
            read(completion)
        except ConversationRefusedError as error:
            mending = self._mending(item, prompt, completion, error)
            return (self._marked(mending), True) if mending else None
        return None

    async def read(
        self,
        item: BatchItem,
        prompt: Prompt,
        read: Callable[[Completion], T],
        usage: Usage,
        answered: Callable[[], None],
    ) -> T:
        """Read the result that was given for the item, or its earlier answer."""
        asked = await self.to_ask(item, prompt, read, usage)
        if asked is None and usage.last is not None:
            return read(usage.last)
        sent, mends = asked or (prompt, False)
        result, sent_at = self._results.pop(item.position)
        # The same each time that the result is read, so that it is logged once.
        log_id = derived_time_ordered_id(sent_at, custom_id(item))
        if isinstance(result, ClaudeCallError):
            await self._note_failure(item, sent, log_id, result)
            raise result
        completion = dataclasses.replace(
            result,
            max_output_tokens=sent.max_output_tokens,
            marked=sent.cached_for is not None,
        )
        self._measure_completion(completion)
        stored, _ = await asyncio.to_thread(
            self._store, item, completion, mending=mends, log_id=log_id
        )
        answered()
        self._count(usage, stored)
        await self._logged(item, sent, stored, log_id)
        try:
            return self._counted(read, stored)
        except ConversationRefusedError as error:
            if await self._is_repaired(item, sent, stored, error, mends=mends):
                sentence = f"{error.message} It is asked for again."
                raise ClaudeCallError(
                    error.reason, sentence, retryable=True, retry_after_s=0
                ) from error
            raise

    def offer(self, item: BatchItem, prompt: Prompt, completion: Completion) -> None:
        """Nothing: answers are reused in the realtime lane alone."""

    def _counted(self, read: Callable[[Completion], T], completion: Completion) -> T:
        try:
            value = read(completion)
        except ConversationRefusedError as error:
            refused = error.reason == "refused_by_claude"
            cut = error.failure_type == "truncation"
            self.outcomes["refused" if refused else "truncated" if cut else "invalid"] += 1
            raise
        self.outcomes["succeeded"] += 1
        return value

    async def _note_failure(
        self, item: BatchItem, sent: Prompt, log_id: str, error: ClaudeCallError
    ) -> None:
        self.outcomes[error.reason if error.reason in _ENDED else "errored"] += 1
        measure_failure(item, error)
        await self._log.add(self._entry(item, sent, log_id, None, error))

    async def _is_repaired(
        self,
        item: BatchItem,
        prompt: Prompt,
        completion: Completion,
        error: ConversationRefusedError,
        *,
        mends: bool,
    ) -> bool:
        if mends or item.attempts >= self._job.most_attempts:
            return False
        if self._mending(item, prompt, completion, error) is None:
            return False
        return await asyncio.to_thread(self._is_open)

    def _mending(
        self,
        item: BatchItem,
        prompt: Prompt,
        completion: Completion,
        error: ConversationRefusedError,
    ) -> Prompt | None:
        """How an answer is mended; in a job with a cap, for what an item may cost."""
        mending = mending_prompt(prompt, completion, error)
        return mending and self._affordable(item, mending)
