from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from brightrun.batches.finish_batch import EnrichmentSweep
from brightrun.conversations.enrichment.service import EnrichmentService
from brightrun.core.errors import EnrichmentFailedError, NotFoundError, VersionConflictError
from tests import builders as build
from tests.builders import OWNER
from tests.fakes.conversations import InMemoryConversations
from tests.unit.conversations.enrichment_setup import Workshop

CUT = build.a_conversation(2, turns=[build.a_turn(1), build.a_turn(2, "Because \\")])


class Restless(InMemoryConversations):
    """Another caller changes the row just before each of the next writes."""

    def __init__(self, contenders: int) -> None:
        super().__init__()
        self.contenders = contenders

    def replace(self, record: Any, seen_version: int) -> Any:
        if self.contenders:
            self.contenders -= 1
            current = self.conversation(record.owner_id, record.conversation_id)
            super().replace(dataclasses.replace(current, status="approved"), current.version)
        return super().replace(record, seen_version)


def service(shop: Workshop) -> EnrichmentService:
    return EnrichmentService(shop.rows, shop.enricher())


def test_a_change_meanwhile_makes_the_run_start_over_from_it() -> None:
    shop = Workshop(rows=Restless(2))
    shop.store()
    record = service(shop).enrich(OWNER, "conversation-1")
    assert (record.status, record.enrichment_status) == ("approved", "completed")


def test_a_row_that_never_rests_is_given_up() -> None:
    shop = Workshop(rows=Restless(3))
    shop.store()
    with pytest.raises(VersionConflictError):
        service(shop).enrich(OWNER, "conversation-1")


def test_an_unknown_conversation_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        service(Workshop()).enrich(OWNER, "nobody")


def test_a_failed_stage_is_told_to_whoever_asked_for_the_run() -> None:
    shop = Workshop()
    shop.store(CUT)
    with pytest.raises(EnrichmentFailedError) as failure:
        service(shop).enrich_or_raise(OWNER, "conversation-1")
    assert failure.value.details["final_status"] == "validation_failed"
    assert failure.value.details["stages_completed"] == []
    assert failure.value.details["validation_report"]["hasBlockers"] is True


def test_of_many_each_gets_its_own_result_in_the_order_asked() -> None:
    shop = Workshop()
    for name, document in (("good", None), ("done", None), ("cut", CUT)):
        shop.store(document, conversation_id=name)
    service(shop).enrich(OWNER, "done")
    results = service(shop).enrich_many(OWNER, ["cut", "good", "unknown", "done", "good"])
    assert [(one.conversation_id, one.status) for one in results] == [
        ("cut", "failed"),
        ("good", "enriched"),
        ("unknown", "failed"),
        ("done", "skipped"),
    ]
    assert results[0].enrichment_status == "validation_failed"
    assert results[2].error == "There is no conversation with the id 'unknown'."


def test_a_sweep_enriches_what_the_workers_of_the_job_have_left() -> None:
    shop = Workshop()
    job = build.a_job(build.a_plan(1, job_id=shop.plan.job_id))
    for name in ("left", "another"):
        shop.store(conversation_id=name)
    shop.store(CUT, conversation_id="broken", enrichment_status="validation_failed")
    shop.store(conversation_id="of-another-job", batch_job_id="job-2")
    sweep = EnrichmentSweep(shop.rows, shop.enricher())
    assert sweep.sweep(job) == 2
    assert shop.row("left").enrichment_status == "completed"
    assert shop.row("of-another-job").enrichment_status == "not_started"
    assert sweep.sweep(job) == 0


def test_one_that_cannot_be_swept_does_not_stop_the_others() -> None:
    shop = Workshop(rows=Restless(1))
    job = build.a_job(build.a_plan(1, job_id=shop.plan.job_id))
    for name in ("first", "second"):
        shop.store(conversation_id=name)
    assert EnrichmentSweep(shop.rows, shop.enricher()).sweep(job) == 1
    assert shop.row("second").enrichment_status == "completed"
