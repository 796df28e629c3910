"""A batch job and its items: their states, the transitions between them, and progress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from brightrun.core.budgets import Reservation
from brightrun.core.timestamps import from_iso, iso


class JobStatus(StrEnum):
    """A batch job's status: the same six values as in v1."""

    QUEUED = "queued"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemStatus(StrEnum):
    """A batch item's status."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobAction(StrEnum):
    """What a user or the workflow does to a job."""

    BEGIN = "begin"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    COMPLETE = "complete"
    FAIL = "fail"
    RETRY_FAILED = "retry_failed"


_J, _A = JobStatus, JobAction
JOB_TRANSITIONS: Mapping[JobAction, Mapping[JobStatus, JobStatus]] = {
    _A.BEGIN: {_J.QUEUED: _J.PROCESSING},
    _A.PAUSE: {_J.QUEUED: _J.PAUSED, _J.PROCESSING: _J.PAUSED},
    # Resuming a running job only ensures that its workflow runs.
    _A.RESUME: {
        _J.PAUSED: _J.PROCESSING,
        _J.PROCESSING: _J.PROCESSING,
        _J.QUEUED: _J.PROCESSING,
    },
    # BatchControls.cancel repeats an interrupted cancellation without this transition.
    _A.CANCEL: {
        _J.QUEUED: _J.CANCELLED,
        _J.PROCESSING: _J.CANCELLED,
        _J.PAUSED: _J.CANCELLED,
    },
    _A.COMPLETE: {_J.PROCESSING: _J.COMPLETED},
    _A.FAIL: {_J.PROCESSING: _J.FAILED},
    _A.RETRY_FAILED: {
        _J.PROCESSING: _J.PROCESSING,
        _J.PAUSED: _J.PAUSED,
        _J.COMPLETED: _J.PROCESSING,
        _J.FAILED: _J.PROCESSING,
    },
}
CLOSING_ACTIONS = frozenset({JobAction.COMPLETE, JobAction.FAIL})
ENDED_JOBS = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
ENDED_ITEMS = frozenset({ItemStatus.COMPLETED, ItemStatus.FAILED, ItemStatus.CANCELLED})
ITEM_TRANSITIONS: Mapping[ItemStatus, frozenset[ItemStatus]] = {
    ItemStatus.QUEUED: frozenset({ItemStatus.PROCESSING, ItemStatus.CANCELLED}),
    # processing -> processing: the lease expired and another worker claimed the item.
    ItemStatus.PROCESSING: frozenset(
        {
            ItemStatus.PROCESSING,
            ItemStatus.QUEUED,
            ItemStatus.COMPLETED,
            ItemStatus.FAILED,
            ItemStatus.CANCELLED,
        }
    ),
    ItemStatus.FAILED: frozenset({ItemStatus.QUEUED}),
    ItemStatus.CANCELLED: frozenset({ItemStatus.QUEUED}),
    ItemStatus.COMPLETED: frozenset(),
}
MAX_ITEMS = 10_000
"""Items in one job: as many as one API call can plan in its 29 seconds."""
MAX_WORKERS = 10
"""Workers of one job; the Map state's MaxConcurrency is the same number."""
MAX_CALLS_PER_WORKER = 25
"""Calls that one worker keeps in flight: also the most completions lost with a worker."""
MAX_CALLS = MAX_WORKERS * MAX_CALLS_PER_WORKER
"""Calls that a job keeps in flight; whatever Claude refuses of them lowers that by itself."""
MAX_ATTEMPTS = 4
"""Attempts on one item before it fails: one and three retries, as in v1."""
MAX_TAKEOVERS = 3 * MAX_ATTEMPTS
"""Attempts after which an item fails even if its completion is stored: it crashes its workers."""
ErrorHandling = Literal["stop", "continue"]
Priority = Literal["low", "normal", "high"]
Lane = Literal["realtime", "economy"]
"""How a job's calls are made: each by itself, or in Message Batches at half the price."""
MOST_SUBMISSIONS = 2
"""Times that an item is sent in the economy lane: once, and once more to repair what failed."""
JobKind = Literal["generate", "judge"]
"""What a worker does with an item: generate its conversation, or judge an existing one."""


_COMPARABLE = 0.95
"""The share of a batch that must be written before its cost is compared with its quote."""
QuoteSource = Literal["own_batches", "typical"]
"""What a quote is based on: what the owner's own batches used, or v1's typical conversation."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a batch was expected to cost, in millionths of a US dollar, when it was ordered.

    Nine of ten batches stay within p90. `conversations` and `batches` say how many of the owner's
    own the quote is based on; none for a typical one.
    """

    p50_micro_usd: int
    p90_micro_usd: int
    source: QuoteSource = "typical"
    conversations: int = 0
    batches: int = 0


@dataclass(frozen=True, slots=True)
class TokensUsed:
    """What a batch's conversations of one template and arc used together, failed ones included.

    `output_squares` is the sum of the squares of each one's output tokens.
    """

    template_id: str
    emotional_arc_key: str
    conversations: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    output_squares: int = 0


@dataclass(frozen=True, slots=True)
class Cap:
    """A limit on what a job spends, in millionths of a US dollar.

    `item_bound_micro_usd` is the most that the answers to one item can cost: it is reserved when
    the item is claimed, and what was not spent of it is given back when the item ends.
    """

    micro_usd: int
    item_bound_micro_usd: int


@dataclass(frozen=True, slots=True)
class BatchJob:
    """One batch; its five counters always equal the number of items in each status.

    `calls_in_flight` is divided among the workers; without it, as for v1's orders, each worker
    keeps `calls_per_worker` in flight. With a cap, `committed_micro_usd` is what was spent and what
    is reserved for the items in progress; it never exceeds `max_cost_micro_usd`. `used` is counted
    when the job is completed. With `reuse`, its items take answers that earlier jobs paid for.

    A job that is to be `done_by` a time may begin in the economy lane and go over to realtime at
    `switch_at`: `lane` stays the one that it began in, and `lane_at` tells.

    Until its end the job holds `budget_reserved_micro_usd` of the budgets of `budget_month`, which
    is None afterwards; `budget_spent_micro_usd` is what earlier months and runs have counted.

    `shared_characters` is the longest start, system prompt included, that the prompts of one of its
    `shared_starts` templates share; None for jobs of earlier versions. `cache_calls` counts the
    answers to prompts that were marked for the prompt cache, whose tokens are not in
    `input_tokens`; `cache_saved_micro_usd` may be negative.
    """

    owner_id: str
    job_id: str
    name: str
    status: JobStatus
    total_items: int
    concurrent_processing: int
    calls_per_worker: int
    error_handling: ErrorHandling
    priority: Priority
    model: str
    plan_key: str
    created_at: str
    updated_at: str
    processing_items: int = 0
    successful_items: int = 0
    failed_items: int = 0
    cancelled_items: int = 0
    claim_cursor: int = 0
    run: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    simulated: bool = False
    started_at: str | None = None
    completed_at: str | None = None
    stop_reason: str | None = None
    kind: JobKind = "generate"
    calls_in_flight: int | None = None
    max_cost_micro_usd: int | None = None
    item_bound_micro_usd: int = 0
    committed_micro_usd: int = 0
    budget_month: str | None = None
    budget_reserved_micro_usd: int = 0
    budget_spent_micro_usd: int = 0
    quote: Quote | None = None
    used: tuple[TokensUsed, ...] = ()
    reuse: bool = False
    reused_items: int = 0
    lane: Lane = "realtime"
    shared_characters: int | None = None
    shared_starts: int = 1
    cache_calls: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_saved_micro_usd: int = 0
    done_by: str | None = None
    switch_at: str | None = None

    @property
    def is_economy(self) -> bool:
        """Whether the job's calls are made in Message Batches."""
        return self.lane == "economy"

    def lane_at(self, now: datetime) -> Lane:
        """The lane that items are written in at a time; of a job that has ended, the last one."""
        until = min(iso(now), self.completed_at or iso(now))
        return "realtime" if self.switch_at is not None and until >= self.switch_at else self.lane

    def has_switched(self, now: datetime) -> bool:
        """Whether the time of the economy lane is over, and what it has not answered goes on."""
        return self.is_economy and self.lane_at(now) == "realtime"

    def seconds_to_switch(self, now: datetime) -> float | None:
        """Seconds until the job changes lanes; None if it does not, or has done so."""
        if self.switch_at is None or self.lane_at(now) == "realtime":
            return None
        return (from_iso(self.switch_at) - now).total_seconds()

    @property
    def was_on_time(self) -> bool | None:
        """Whether a completed job was done by its time; None without one, and without its end."""
        is_whole = self.status is JobStatus.COMPLETED and not self.has_remainder
        if self.done_by is None or self.completed_at is None or not is_whole:
            return None
        return self.completed_at <= self.done_by

    @property
    def most_attempts(self) -> int:
        """Attempts on one item before it fails."""
        return MOST_SUBMISSIONS if self.is_economy else MAX_ATTEMPTS

    @property
    def has_work(self) -> bool:
        """Whether a worker has something to do: items to claim, or Message Batches to follow.

        Those are followed whatever was done to the job: what they answered is paid for.
        """
        followed = self.is_economy and self.processing_items > 0
        return self.accepts_claims or self.status is JobStatus.QUEUED or followed

    @property
    def cap(self) -> Cap | None:
        """The limit on what the job spends, None without one."""
        if self.max_cost_micro_usd is None:
            return None
        return Cap(self.max_cost_micro_usd, self.item_bound_micro_usd)

    @property
    def quote_error(self) -> float | None:
        """How far the cost is from the quote's p50, as a share of it; 0.1 for a tenth more.

        None unless nearly all were written and paid for, at the price of one lane.
        """
        written = self.successful_items / max(1, self.total_items)
        whole = self.status is JobStatus.COMPLETED and written >= _COMPARABLE
        mixed = bool(self.reused_items) or self.switch_at is not None
        if self.quote is None or not self.quote.p50_micro_usd or not whole or mixed:
            return None
        return self.cost_micro_usd / self.quote.p50_micro_usd - 1

    @property
    def affordable_items(self) -> int:
        """How many more items may be claimed within the cap, all of them without one."""
        if (cap := self.cap) is None:
            return self.total_items
        return max(0, cap.micro_usd - self.committed_micro_usd) // max(1, cap.item_bound_micro_usd)

    @property
    def reserved_micro_usd(self) -> int:
        """The most that calls in flight may cost; known only with a cap."""
        return max(0, self.committed_micro_usd - self.cost_micro_usd) if self.cap else 0

    @property
    def paid_micro_usd(self) -> int:
        """What was spent of the budgets; simulated answers cost nobody anything."""
        return 0 if self.simulated else self.cost_micro_usd

    @property
    def unsettled_micro_usd(self) -> int:
        """What was spent since the job reserved, which its budgets count when it ends."""
        return self.paid_micro_usd - self.budget_spent_micro_usd

    @property
    def reservation(self) -> Reservation | None:
        """What the job holds of its month's budgets; None once it has given that back."""
        if self.budget_month is None:
            return None
        held = self.budget_reserved_micro_usd
        return Reservation(self.owner_id, self.budget_month, "writing", held)

    @property
    def is_spent(self) -> bool:
        """Whether the cap pays for no further item, even after those in progress."""
        return self.affordable_items == 0 and self.processing_items == 0 and self.open_items > 0

    @property
    def has_remainder(self) -> bool:
        """Whether the job ended at its cap: it is completed, without the items that remain."""
        return self.status is JobStatus.COMPLETED and self.cancelled_items > 0

    @property
    def status_line(self) -> str:
        """The status in a sentence, which says of an ended job what is left to do."""
        told = f"{self.successful_items:,} of {self.total_items:,} succeeded"
        if self.reused_items:
            told += f" ({self.reused_items:,} by earlier answers, at no cost)"
        if self.failed_items:
            told += f", {self.failed_items:,} failed"
        if self.has_remainder and self.max_cost_micro_usd is not None:
            told += f", {self.cancelled_items:,} remain: raise the cap and resume"
            return f"Completed up to its cap of ${self.max_cost_micro_usd / 1e6:,.2f}: {told}."
        if self.cancelled_items:
            told += f", {self.cancelled_items:,} cancelled"
        if self.status is JobStatus.COMPLETED and self.failed_items:
            return f"Completed with failures: {told}{self._timeliness}; retry those that failed."
        return f"{self.status.value.capitalize()}: {told}{self._timeliness}."

    @property
    def _timeliness(self) -> str:
        """The part of the status line that tells the deadline, and whether it was met."""
        if self.was_on_time is not None:
            return f", {'in' if self.was_on_time else 'not in'} time for {self.done_by}"
        if self.done_by is None or self.status in ENDED_JOBS:
            return ""
        switch = f" (economy lane until {self.switch_at})" if self.switch_at else ""
        return f", to be done by {self.done_by}{switch}"

    def calls_of(self, worker: int) -> int:
        """How many calls a worker keeps in flight at the most; workers count from 0."""
        if self.calls_in_flight is None:
            return self.calls_per_worker
        each, more = divmod(self.calls_in_flight, self.concurrent_processing)
        return each + (worker < more)

    @property
    def most_calls_in_flight(self) -> int:
        """How many calls all workers keep in flight at the most."""
        return self.calls_in_flight or self.concurrent_processing * self.calls_per_worker

    @property
    def completed_items(self) -> int:
        """Items that succeeded or failed; v1 counts them so."""
        return self.successful_items + self.failed_items

    @property
    def ended_items(self) -> int:
        """Items in a final status."""
        return self.completed_items + self.cancelled_items

    @property
    def open_items(self) -> int:
        """Items that are queued or processing."""
        return self.total_items - self.ended_items

    @property
    def queued_items(self) -> int:
        """Items that wait for a worker."""
        return self.open_items - self.processing_items

    @property
    def accepts_claims(self) -> bool:
        """Whether workers may claim items now."""
        return self.status is JobStatus.PROCESSING and self.stop_reason is None

    @property
    def execution_name(self) -> str:
        """The name of the current run's execution, so that a run is started once."""
        return f"{self.job_id}-{self.run}"

    @property
    def percentage(self) -> float:
        """Items in a final status, 0 to 100 with one decimal; 100 for a job without items."""
        if self.total_items == 0:
            return 100.0
        return round(100 * self.ended_items / self.total_items, 1)

    def seconds_remaining(self, now: datetime) -> int | None:
        """Estimate the seconds left, elapsed / completed x open; None until an item has ended."""
        if self.status in ENDED_JOBS:
            return 0
        if self.started_at is None or self.completed_items == 0:
            return None
        elapsed = (now - from_iso(self.started_at)).total_seconds()
        return max(0, round(elapsed / self.completed_items * self.open_items))

    def final_status(self) -> JobStatus:
        """Completed, unless all items failed or an error stopped the job."""
        if self.stop_reason is not None or self.failed_items == self.total_items:
            return JobStatus.FAILED
        return JobStatus.COMPLETED

    def after(self, action: JobAction) -> JobStatus | None:
        """The status that an action leads to; None if the action is not allowed.

        A job can be completed or failed only without open items, and only to `final_status`.
        """
        target = JOB_TRANSITIONS[action].get(self.status)
        closes = action in CLOSING_ACTIONS
        if closes and (self.open_items > 0 or target is not self.final_status()):
            return None
        return target


@dataclass(frozen=True, slots=True)
class BatchItem:
    """One conversation to generate or to judge.

    `generation` starts at 1 and grows each time a user retries the item; `attempts` counts the
    claims within a generation. `lease_expires_at` and `retry_at` are epoch milliseconds.
    `reserved_micro_usd` is what its answers may cost while it is leased, in a job with a cap.
    Tokens and cost are those of all its answers, in every generation. `variation` counts the items
    before it of the same persona, arc and topic: from 1 on, the prompt has a hint, which the plan
    tells again (`BatchPlan.prompt`).
    """

    job_key: str
    position: int
    item_id: str
    status: ItemStatus
    persona_id: str
    persona_key: str
    emotional_arc_id: str
    emotional_arc_key: str
    training_topic_id: str
    training_topic_key: str
    template_id: str
    tier: str
    updated_at: str
    generation: int = 1
    attempts: int = 0
    lease_token: str | None = None
    lease_expires_at: int | None = None
    retry_at: int | None = None
    conversation_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    reserved_micro_usd: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    reused: bool = False
    variation: int = 0

    @property
    def combination(self) -> tuple[str, str, str]:
        """The ids of its persona, arc and topic."""
        return self.persona_id, self.emotional_arc_id, self.training_topic_id

    def claimable_at(self) -> int | None:
        """When a worker may claim the item, in epoch ms; None for an item in a final status."""
        if self.status is ItemStatus.QUEUED:
            return self.retry_at or 0
        if self.status is ItemStatus.PROCESSING:
            return self.lease_expires_at or 0
        return None


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's claim to an item: its token, and when it expires in epoch ms."""

    token: str
    expires_at: int


def job_key(owner_id: str, job_id: str) -> str:
    """The partition key of a job's items and log lines."""
    return f"{owner_id}#{job_id}"
