"""A second domain and another language over real HTTP, searched to the last stored byte."""

from __future__ import annotations

import itertools
import re
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from brightrun.batches.plan import BatchPlan
from brightrun.scaffolding.prompts import PromptContext, assemble_prompt
from cli.errors import CliError
from cli.training_file_builds import watch_build
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
NURSING = {"personas": "all", "emotional_arcs": "all", "training_topics": ["sbar_structure"]}
FINANCE = re.compile(
    r"financ|money|planner|\b988 |(?:call|text) 988|wealth|elena|pathways|dollar|retire|invest"
    r"|\bbudget(?!_)|mortgage|fp_conversation",
    re.IGNORECASE,
)
"""Of finance; `budget_` begins fields of what the platform may spend."""
ASSETS = re.compile("assets|console|templates")
"""Buckets with what is deployed; nothing that a run writes is in them."""


def rows(system: Installation) -> Iterator[tuple[str, Any]]:
    """Every row of every table but that of spending, with its table."""
    dynamodb = system.aws("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        if "BudgetsTable" in table:
            continue
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            yield from ((table, row) for row in page["Items"])


def texts_in(value: Any) -> Iterator[str]:
    """The names and strings of a row; bytes are decompressed, numbers left out."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_in(inner)
    elif isinstance(value, bytes):
        yield zlib.decompress(value).decode()
    elif isinstance(value, str):
        yield value


def objects(system: Installation) -> Iterator[tuple[str, str]]:
    """Every object of a run, by its name."""
    s3 = system.aws("s3")
    for bucket in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        if ASSETS.search(bucket):
            continue
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", []):
                stored = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
                yield f"{bucket}/{one['Key']}", stored.decode(errors="replace")


def prompts(system: Installation, job_id: str) -> Iterator[tuple[str, str]]:
    """What Claude was sent for each item, rendered from the stored plan as workers do."""
    (text,) = (text for name, text in objects(system) if name.endswith(f"{job_id}/plan.json"))
    plan = BatchPlan.model_validate_json(text)
    contexts = itertools.product(
        plan.personas.values(), plan.emotional_arcs.values(), plan.training_topics.values()
    )
    templates = {one.emotional_arc_type: one for one in plan.templates.values()}
    for persona, arc, topic in contexts:
        context = PromptContext(persona, arc, topic, plan.consultant, arc.tier)
        prompt = assemble_prompt(templates[arc.key], context)
        yield "prompt", f"{prompt.system}\n{prompt.user}"


def artefacts(system: Installation) -> Iterator[tuple[str, str]]:
    """All that a run has left: rows with the prompts of the log, objects, and logs on the disk."""
    for table, row in rows(system):
        yield table, "\n".join(texts_in(row))
    yield from objects(system)
    for log in (system.folder / "logs").iterdir():
        yield log.name, log.read_text(errors="replace")


def judged(system: Installation, ids: list[str]) -> None:
    order = {"conversationIds": ids[:3]}
    job = system.client.post("/api/conversations/judge", order, idempotency_key="judge")
    assert system.follow(job["jobId"]).status == "completed"


def packed(system: Installation, job_id: str) -> None:
    """Make a training file of the batch, and a dataset of the file, to its receipt."""
    order = {"name": "Handover", "batch_job_id": job_id}
    begun = system.client.post("/api/training-files", order, idempotency_key="file")
    file_id = begun["trainingFile"]["id"]
    watch_build(system.client, file_id, None, time.sleep)
    path = "/api/datasets/import-from-training-file"
    dataset = system.client.post(path, {"training_file_id": file_id})["data"]["id"]
    while system.client.get(f"/api/datasets/{dataset}")["data"]["status"] in {
        "uploading",
        "validating",
    }:
        time.sleep(0.2)


def test_nothing_of_finance_is_left_by_a_run_of_another_domain(
    install: Callable[[], Installation],
) -> None:
    system = install()
    system.start()
    job_id = system.create_batch(selection=NURSING, domain="nursing_handover")
    status = system.follow(job_id)
    assert (status.status, status.successful, status.failed) == ("completed", 15, 0)
    ids = [item["conversation_id"] for item in system.items(job_id)]
    judged(system, ids)
    packed(system, job_id)

    found = [*artefacts(system), *prompts(system, job_id)]
    whole = "\n".join(text for _, text in found)
    for expected in (
        "Morag Sinclair",
        "116 123",
        "nursing_handover_coach",
        f"nh_conversation_{ids[0]}",
    ):
        assert expected in whole
    assert "a practice educator who coaches nurses in handing over patients" in whole
    hits = [
        (name, text[max(0, hit.start() - 80) : hit.end() + 40])
        for name, text in found
        for hit in FINANCE.finditer(text)
    ]
    assert hits == []


def test_a_record_of_another_domain_is_refused_with_the_name_of_its_own(
    system: Installation,
) -> None:
    with pytest.raises(CliError, match="nursing_handover"):
        system.create_batch(selection={**NURSING, "personas": ["agency_nurse"]})


def test_a_batch_in_another_language_says_what_it_cannot_judge(system: Installation) -> None:
    job_id = system.create_batch(language="de")
    assert system.follow(job_id).status == "completed"
    one = system.items(job_id)[0]["conversation_id"]
    answer = system.client.get(f"/api/conversations/{one}", {"includeTurns": "true"})
    assert "ich" in answer["turns"][0]["content"].split()
    reasons = " ".join(answer["conversation"]["quality_reasons"])
    for check in ("specificity", "safety"):
        assert f"{check} unknown: " in reasons
    assert "arc unknown" not in reasons
    assert answer["conversation"]["flags"] == []


def test_english_where_another_language_was_asked_for_is_flagged(system: Installation) -> None:
    job_id = system.create_batch(language="fr")
    system.follow(job_id)
    one = system.items(job_id)[0]["conversation_id"]
    conversation = system.client.get(f"/api/conversations/{one}")["conversation"]
    assert conversation["flags"] == ["wrong_language"]
    assert conversation["quality_score"] <= 3.4
