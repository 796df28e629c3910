"""conversations example and dataset example: what they print is taken."""

import json
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from brightrun.batches.plan import PlanScaffoldingResolver
from brightrun.conversations.enrichment.pipeline import ConversationEnricher
from brightrun.conversations.import_conversations import ConversationImporter
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.validation.validator import validate
from tests.builders import OWNER, SteppedClock
from tests.cli.conftest import BrightRun
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.external_services import InMemoryObjects
from tests.fakes.scaffolding import InMemoryScaffolding


def importer() -> ConversationImporter:
    rows, files, clock = InMemoryConversations(), InMemoryObjects(), SteppedClock()
    scaffolds = PlanScaffoldingResolver(InMemoryObjects(), files)
    return ConversationImporter(
        conversations=rows,
        conversation_files=files,
        enricher=ConversationEnricher(
            conversations=rows, conversation_files=files, scaffolds=scaffolds, clock=clock
        ),
        catalog=partial(ScaffoldingCatalog, InMemoryScaffolding()),
        clock=clock,
    )


def test_an_example_conversation_is_imported_without_a_remark(brightrun: BrightRun) -> None:
    printed = brightrun("conversations", "example")
    assert printed.exit_code == 0
    (result,) = importer().import_document(OWNER, json.loads(printed.stdout))
    assert (result.error, list(result.warnings)) == (None, [])
    assert result.record is not None
    assert result.record.persona_key == "overwhelmed_avoider"
    assert result.record.enrichment_status == "completed"
    assert result.record.flags == []


@pytest.mark.usefixtures("environment")
def test_example_rows_are_ready_for_training(brightrun: BrightRun, tmp_path: Path) -> None:
    rows = brightrun("dataset", "example").stdout
    found = validate(BytesIO(rows.encode()))
    assert (found.status, found.errors, found.warnings) == ("ready", [], [])
    (tmp_path / "rows.jsonl").write_text(rows, encoding="utf-8")
    assert brightrun("validate", "rows.jsonl").exit_code == 0
    assert len(json.loads(brightrun("dataset", "example", "--json").stdout)["rows"]) == 2
