"""Reserves conversations for the one judgement job that may pay for their judgement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from brightrun.aws.request_keys import RequestKeys, request_has_ended
from brightrun.batches.model import ENDED_JOBS, BatchJob
from brightrun.batches.repository import BatchRepository
from brightrun.core.errors import BeingJudgedError, NotFoundError
from brightrun.core.ids import time_ordered_id

_RESERVED = "reserved"
"""The fingerprint of reserved names, which stand among the idempotency keys."""
_RETRY = "#"
"""Between a job's id, the run that had ended, and the id of the request that retries it."""


@dataclass(frozen=True, slots=True)
class JudgementReservations:
    """One job at a time judges a conversation by a version of the rubric.

    A job holds what it reserved until it ends and no call of it is in flight, or for a day; before
    it is stored or runs again, for as long as the request for that can run. Methods raise
    StorageError and BeingJudgedError, which names a conversation and the job that holds it.
    """

    batches: BatchRepository
    keys: RequestKeys

    def for_new(
        self, owner_id: str, job_id: str, conversation_ids: Iterable[str], now: datetime
    ) -> None:
        """Reserve conversations for a job that the caller stores next."""
        self._reserve(owner_id, job_id, job_id, conversation_ids, now)

    def for_retry(self, job: BatchJob, conversation_ids: Iterable[str], now: datetime) -> None:
        """Reserve conversations for a job that the caller retries next.

        The job may have ended, so until its next run begins this request's age protects it.
        """
        request = _RETRY.join((job.job_id, str(job.run), time_ordered_id(now)))
        self._reserve(job.owner_id, job.job_id, request, conversation_ids, now)

    def _reserve(
        self, owner_id: str, job_id: str, wanted: str, ids: Iterable[str], now: datetime
    ) -> None:
        # The function starts more often for batches that need no rubric.
        from brightrun.conversations.quality.judgement import current_rubric

        version = current_rubric().version
        # In one order, so that of several requests for the same conversations one gets them all.
        for key in sorted(ids):
            name = f"judgement {version} of {key}"
            bound = self.keys.job_for(owner_id, name, _RESERVED, wanted, now)
            if bound != wanted and (_job(bound) == job_id or self._is_free(owner_id, bound, now)):
                bound = self.keys.rebind(owner_id, name, _RESERVED, wanted, bound, now)
            if _job(bound) != job_id:
                raise BeingJudgedError(key, _job(bound))

    def _is_free(self, owner_id: str, bound: str, now: datetime) -> bool:
        holder, *retry = bound.split(_RETRY)
        try:
            job = self.batches.job(owner_id, holder)
        except NotFoundError:
            return request_has_ended(holder, now)
        if retry and retry[0] == str(job.run) and not request_has_ended(retry[1], now):
            return False
        return job.status in ENDED_JOBS and job.processing_items == 0


def _job(bound: str) -> str:
    return bound.partition(_RETRY)[0]
