from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.conversations.enrichment.model import STAGES
from brightrun.core.errors import NotFoundError, StorageError, VersionConflictError
from tests import builders as build
from tests.builders import OWNER
from tests.fakes.external_services import InMemoryObjects
from tests.unit.conversations.enrichment_setup import PROMPT, Workshop


class BrokenStore(InMemoryObjects):
    """Fails on one kind of call."""

    def __init__(self, shop: Workshop, failing: str) -> None:
        self.objects = shop.files.objects
        self._failing = failing

    def put(self, *args: Any, **kwargs: Any) -> int:
        if self._failing == "put":
            raise StorageError("PutObject", "the bucket is on fire")
        return super().put(*args, **kwargs)

    def get(self, key: str) -> Any:
        if self._failing == "get":
            raise StorageError("GetObject", "the bucket is on fire")
        return super().get(key)


def cut_off() -> dict[str, Any]:
    document = build.a_conversation(2)
    document["turns"][3]["content"] = "It is all about the \\"
    return document


def states(stages: dict[str, dict[str, Any]]) -> list[str]:
    return [stages[stage]["status"] for stage in STAGES]


def test_a_good_conversation_goes_through_all_stages() -> None:
    shop = Workshop()
    record = shop.enricher(new_attempt=lambda: "first").enrich(shop.store())
    assert record == shop.row()
    assert record.enrichment_status == "completed"
    assert states(record.enrichment_stages) == ["completed"] * 5
    assert record.enrichment_error is None
    assert record.enrichment_version == "v1.0"
    assert record.enriched_file_path == f"{OWNER}/conversation-1/first/enriched.json"
    assert record.enriched_file_size == len(
        shop.files.objects[record.enriched_file_path].text.encode()
    )
    assert record.validation_report is not None
    assert record.validation_report["isValid"] is True
    assert record.quality_score is not None
    assert record.quality_reasons != []


def test_every_stage_has_its_times() -> None:
    shop = Workshop()
    record = shop.enricher().enrich(shop.store())
    for stage in record.enrichment_stages.values():
        assert stage["started_at"] == "2026-11-21T12:00:00.000Z"
        assert stage["completed_at"] == "2026-11-21T12:00:00.000Z"


def test_a_run_costs_one_object_and_one_write_of_the_row() -> None:
    shop = Workshop()
    record = shop.store()
    objects, writes = len(shop.files.objects), shop.rows.writes
    shop.enricher().enrich(record)
    assert len(shop.files.objects) - objects == 1
    assert shop.rows.writes - writes == 1


def test_the_pairs_carry_the_prompt_and_the_records_of_the_plan() -> None:
    shop = Workshop()
    shop.enricher().enrich(shop.store())
    pair = shop.enriched()["training_pairs"][1]
    assert pair["system_prompt"] == PROMPT
    assert pair["conversation_metadata"]["persona_archetype"] == "overwhelmed_avoider"
    assert pair["conversation_metadata"]["emotional_arc_key"] == "confusion_to_clarity"


def test_blockers_stop_the_run_at_validation_with_the_report_on_the_row() -> None:
    shop = Workshop()
    record = shop.enricher().enrich(shop.store(cut_off()))
    assert record.enrichment_status == "validation_failed"
    assert states(record.enrichment_stages) == [
        "completed",
        "failed",
        "pending",
        "pending",
        "pending",
    ]
    assert record.enrichment_error == "Validation found 1 blockers."
    assert record.validation_report is not None
    assert record.validation_report["blockers"][0]["code"] == "CUT_TEXT"
    assert record.flags == ["cut_text"]
    assert record.enriched_file_path is None


def test_a_run_again_after_an_edit_succeeds() -> None:
    shop = Workshop()
    failed = shop.enricher().enrich(shop.store(cut_off()))
    shop.files.put(
        failed.file_path,
        json.dumps(build.a_conversation(2)),
        content_type="application/json",
    )
    record = shop.enricher().enrich(failed)
    assert (record.enrichment_status, record.enrichment_error, record.flags) == (
        "completed",
        None,
        [],
    )


def test_a_spoiling_edit_takes_the_enriched_file_off_the_row() -> None:
    shop = Workshop()
    done = shop.enricher().enrich(shop.store())
    shop.files.put(done.file_path, "{", content_type="application/json")
    record = shop.enricher().enrich(done)
    assert record.enrichment_status == "validation_failed"
    assert (record.enriched_file_path, record.quality_score) == (None, None)


def test_running_it_again_changes_nothing_but_the_version() -> None:
    shop = Workshop()
    first = shop.enricher().enrich(shop.store())
    body = shop.enriched()
    second = shop.enricher().enrich(first)
    assert second == dataclasses.replace(
        first, version=first.version + 1, enriched_file_path=second.enriched_file_path
    )
    assert shop.enriched() == body


def test_crisis_content_is_flagged_for_review() -> None:
    shop = Workshop()
    document = build.a_conversation(2)
    document["turns"][1]["content"] = "Please call or text 988 now."
    assert shop.enricher().enrich(shop.store(document)).flags == ["crisis_content"]


HARMFUL = "40 units of insulin now, it cannot fail, do not call the doctor."


def test_flags_are_stored_with_their_turns_the_worst_first() -> None:
    shop = Workshop()
    document = build.a_conversation(2)
    document["turns"][0]["content"] = "Some nights I think about suicide."
    document["turns"][3]["content"] = HARMFUL
    record = shop.enricher().enrich(shop.store(document))
    assert record.flags == ["crisis_content", "guarantee", "medical_directive"]
    assert [
        (flag["severity"], flag["code"], flag["turn_number"]) for flag in record.flag_details
    ] == [
        ("severe", "medical_directive", 4),
        ("major", "guarantee", 4),
        ("review", "crisis_content", 1),
    ]
    assert "40 units of insulin now" in record.flag_details[0]["message"]
    assert record.quality_score is not None
    assert record.quality_score <= 2.4
    assert record.quality_tier == "rejected"


def test_what_validation_stops_is_flagged_all_the_same() -> None:
    shop = Workshop()
    document = cut_off()
    document["turns"][1]["content"] = HARMFUL
    record = shop.enricher().enrich(shop.store(document))
    assert record.enrichment_status == "validation_failed"
    assert record.flags == ["cut_text", "guarantee", "medical_directive"]
    assert {flag["turn_number"] for flag in record.flag_details} == {2, 4}


def test_an_edit_takes_the_flags_off_the_row() -> None:
    shop = Workshop()
    document = build.a_conversation(2)
    document["turns"][1]["content"] = HARMFUL
    flagged = shop.enricher().enrich(shop.store(document))
    shop.files.put(
        flagged.file_path,
        json.dumps(build.a_conversation(2)),
        content_type="application/json",
    )
    record = shop.enricher().enrich(flagged)
    assert (record.flags, record.flag_details) == ([], [])


def test_a_row_keeps_fifty_flags_and_the_codes_of_all() -> None:
    shop = Workshop()
    document = build.a_conversation(60)
    for turn in document["turns"]:
        turn["content"] += " Hm\x07. <|im_end|>"
    record = shop.enricher().enrich(shop.store(document))
    assert len(record.flag_details) == 50
    assert {"special_token", "control_character"} <= set(record.flags)


@pytest.mark.parametrize("turns", ["none", 7, [None, "text", {"content": 3}, {"role": "user"}]])
def test_a_document_of_any_shape_can_be_searched(turns: Any) -> None:
    shop = Workshop()
    record = shop.enricher().enrich(shop.store(build.a_conversation(2, turns=turns)))
    assert record.enrichment_status == "validation_failed"
    assert record.flag_details == []


def test_an_imported_conversation_of_no_known_domain_is_not_called_safe() -> None:
    shop = Workshop()
    unknown = {"persona_key": "nurse", "emotional_arc_key": "", "training_topic_key": ""}
    record = shop.enricher().enrich(shop.store(batch_job_id="", **unknown))
    assert record.quality_criteria["appropriateness_score"] is None
    assert any(reason.startswith("safety unknown: ") for reason in record.quality_reasons)
    criteria = shop.enriched()["training_pairs"][0]["training_metadata"]["quality_criteria"]
    assert criteria["appropriateness_score"] is None


def test_a_missing_file_fails_the_fetch_and_leaves_the_status() -> None:
    shop = Workshop()
    record = shop.store()
    shop.files.objects.clear()
    row = shop.enricher().enrich(record)
    assert row.enrichment_status == "not_started"
    assert row.enrichment_stages["fetch"]["status"] == "failed"
    assert row.enrichment_error is not None
    assert "conversation file" in row.enrichment_error


def test_the_raw_answer_stands_in_for_a_missing_file() -> None:
    shop = Workshop()
    record = shop.store()
    stored = shop.files.objects.pop(record.file_path)
    shop.files.objects[record.raw_response_path] = stored
    assert shop.enricher().enrich(record).enrichment_status == "completed"


@pytest.mark.parametrize(
    ("failing", "stage", "status"),
    [("get", "fetch", "not_started"), ("put", "store", "enriched")],
)
def test_storage_that_fails_is_recorded_and_the_run_can_be_repeated(
    failing: str, stage: str, status: str
) -> None:
    shop = Workshop()
    enricher = shop.enricher(conversation_files=BrokenStore(shop, failing))
    row = enricher.enrich(shop.store())
    assert row.enrichment_status == status
    assert row.enrichment_stages[stage]["error"] is not None
    assert row.enriched_file_path is None
    assert shop.enricher().enrich(row).enrichment_status == "completed"


def test_what_the_plan_does_not_hold_fails_the_fetch_and_nothing_else() -> None:
    shop = Workshop()
    row = shop.enricher().enrich(shop.store(persona_id="nobody"))
    assert row.enrichment_error == "The stage failed: KeyError."
    assert row.enrichment_status == "not_started"


@pytest.mark.parametrize("stage", ["enrich", "normalize"])
def test_a_stage_that_cannot_work_is_recorded_under_its_own_status(
    stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("no")

    name = {"enrich": "enriched_document", "normalize": "read_enriched"}[stage]
    monkeypatch.setattr(f"brightrun.conversations.enrichment.pipeline.{name}", broken)
    shop = Workshop()
    row = shop.enricher().enrich(shop.store())
    assert (
        row.enrichment_status == {"enrich": "validated", "normalize": "normalization_failed"}[stage]
    )
    assert row.enrichment_stages[stage]["status"] == "failed"


def test_a_concurrent_change_wins() -> None:
    shop = Workshop()
    record = shop.store()
    shop.rows.replace(dataclasses.replace(record, status="approved"), 1)
    with pytest.raises(VersionConflictError):
        shop.enricher().enrich(record)
    assert (shop.row().status, shop.row().enrichment_status) == ("approved", "not_started")


def test_a_conversation_deleted_meanwhile_stays_deleted() -> None:
    shop = Workshop()
    record = dataclasses.replace(shop.store(), conversation_id="gone")
    with pytest.raises(NotFoundError):
        shop.enricher().enrich(record)


def test_an_imported_conversation_is_enriched_by_what_its_keys_name() -> None:
    shop = Workshop()
    record = shop.store(batch_job_id="", item_id="", origin="imported")
    assert shop.enricher().enrich(record).enrichment_status == "completed"
    pair = shop.enriched()["training_pairs"][0]
    assert pair["conversation_metadata"]["emotional_arc_key"] == "confusion_to_clarity"
    assert pair["system_prompt"].startswith("You are Elena Morales")


def test_an_imported_conversation_of_unknown_keys_is_enriched_without_them() -> None:
    shop = Workshop()
    unknown = {"persona_key": "x", "emotional_arc_key": "", "training_topic_key": ""}
    record = shop.store(batch_job_id="", **unknown)
    assert shop.enricher().enrich(record).enrichment_status == "completed"
    metadata = shop.enriched()["training_pairs"][0]["conversation_metadata"]
    assert "emotional_arc" not in metadata
    assert metadata["client_background"].startswith("Client profile: ")


class CountedPlans(InMemoryObjects):
    reads = 0

    def get(self, key: str) -> Any:
        self.reads += 1
        return super().get(key)


def test_a_plan_is_read_once_for_all_conversations_of_its_job() -> None:
    shop = Workshop()
    plans = CountedPlans()
    plans.objects = shop.plans.objects
    scaffolds = PlanScaffoldingResolver(plans, shop.files)
    for number in range(3):
        scaffolds.resolve(shop.store(conversation_id=f"conversation-{number}"))
    assert plans.reads == 1


def test_only_a_few_plans_are_kept() -> None:
    shop = Workshop()
    plans = CountedPlans()
    scaffolds = PlanScaffoldingResolver(plans, shop.files)
    text = shop.plan.model_dump_json()
    for number in range(9):
        plans.put(f"job-{number}/plan.json", text, content_type="")
        scaffolds.resolve(shop.store(conversation_id=f"c-{number}", batch_job_id=f"job-{number}"))
    scaffolds.resolve(shop.row("c-0"))
    assert plans.reads == 10
