"""Domain packs: the two that ship, what a folder lacks, and what belongs to one domain alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from brightrun.core.errors import InvalidInputError
from brightrun.scaffolding import check_pack, domain
from brightrun.scaffolding.builtin import builtin_records, records_of_all_domains
from brightrun.scaffolding.catalog import ScaffoldingCatalog
from brightrun.scaffolding.model import (
    Consultant,
    EmotionalArc,
    Persona,
    PromptTemplate,
    TrainingTopic,
    read_record,
)
from brightrun.scaffolding.prompts import PromptContext, assemble_prompt
from brightrun.scaffolding.variation import VARIATIONS, variation_hint
from tests.fakes.scaffolding import InMemoryScaffolding
from tests.fakes.scaffolding import persona as planned_persona

NURSING = "nursing_handover"
FINANCE = re.compile(
    r"financ|money|planner|988|wealth|advis|elena|dollar|\$\s?\d|retire|invest|budget|mortgage",
    re.IGNORECASE,
)
KINDS = (Persona, EmotionalArc, TrainingTopic, PromptTemplate, Consultant)
STARTER = Path(__file__).parents[3] / "cli" / "domain_starter"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the nursing pack, to be damaged."""
    copied = tmp_path / "pack"
    shutil.copytree(Path(str(domain.folder_of(NURSING))), copied)
    return copied


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize("key", domain.installed_domains())
def test_every_pack_that_ships_is_complete(key: str) -> None:
    assert check_pack.pack_faults(domain.folder_of(key)) == []


def test_the_default_pack_is_that_of_v1() -> None:
    assert domain.installed_domains() == ("financial_planning", NURSING)
    assert domain.domain_pack("financial_planning").vertical == "financial_planning_consultant"


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_finance_stands_in_a_record_of_another_pack(
    kind: type[Persona | EmotionalArc | TrainingTopic | PromptTemplate | Consultant],
) -> None:
    for record in builtin_records(kind, NURSING):
        assert FINANCE.search(record.model_dump_json()) is None


def test_records_of_all_packs_have_ids_and_keys_of_their_own() -> None:
    for kind in KINDS:
        found = records_of_all_domains(kind)
        assert len({one.id for one in found}) == len({one.key for one in found}) == len(found)


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("templates/frame.md", "{{topic_description}}", "", "missing placeholder {{topic_desc"),
        (
            "templates/frame.md",
            "{{persona_setting}}",
            "",
            "missing placeholder {{persona_setting}}",
        ),
        ("templates/frame.md", "{{crisis_resources}}", "", "missing placeholder {{crisis_res"),
        ("templates/frame.md", "{{tier}}", "{{teir}}", "unknown placeholder {{teir}}"),
        ("templates/frame.md", "{{tier}}", "{{tier", "is not well formed"),
        ("domain.toml", 'country = "NZ"\n', "", "crisis_resources.3.country: Field required"),
        ("domain.toml", 'country = "NZ"', 'country = "New Zealand"', "crisis_resources.3.country"),
        ("domain.toml", '["doubt_to_escalation"]', '["doubt"]', "safety: there is no arc doubt"),
        ("domain.toml", "'(?<!\\d)13 11 14(?!\\d)'", "'(13'", "it is no regular expression"),
        ("domain.toml", 'background = "clinical_background"', 'background = "x"', "x has to be a"),
        ("domain.toml", "key =", "clef =", "key: Field required"),
        ("personas.json", '"shift_pattern"', '"shift"', "shift_pattern: Field required"),
        ("personas.json", "newly_qualified_nurse", "agency_nurse", "agency_nurse is there twice"),
        ("personas.json", "newly_qualified_nurse", "anxious_planner", "or in another pack"),
        ("prompt_templates.json", '"dread_to_readiness"', '"dread"', "cannot be read"),
    ],
)
def test_what_a_pack_lacks_or_has_wrong_is_named(
    folder: Path, file: str, old: str, new: str, fault: str
) -> None:
    change(folder / file, old, new)
    assert [fault in found for found in check_pack.pack_faults(folder)].count(True) >= 1


@pytest.mark.parametrize("field", ["language_patterns", "typical_questions"])
def test_an_empty_list_is_named_with_its_record(folder: Path, field: str) -> None:
    file = folder / "personas.json"
    rows = json.loads(file.read_text("utf-8"))
    rows[1][field] = []
    file.write_text(json.dumps(rows), "utf-8")
    (fault,) = check_pack.pack_faults(folder)
    assert fault.startswith(f"personas.json: record 2 (night_shift_coordinator): {field}:")


def empty(file: Path) -> None:
    file.write_text("[]", "utf-8")


@pytest.mark.parametrize("spoil", [empty, Path.unlink, lambda file: file.write_text("{", "utf-8")])
@pytest.mark.parametrize("name", ["personas.json", "emotional_arcs.json", "consultants.json"])
def test_a_file_that_gives_no_records_is_named(
    folder: Path, name: str, spoil: Callable[[Path], object]
) -> None:
    spoil(folder / name)
    (fault,) = check_pack.pack_faults(folder)
    assert fault.startswith(f"{name}: it ")


def test_an_arc_without_a_template_is_named(folder: Path) -> None:
    file = folder / "prompt_templates.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8"))[1:]), "utf-8")
    assert check_pack.pack_faults(folder) == [
        "prompt_templates.json: the arc overload_to_order is without a template"
    ]


def test_a_folder_without_a_pack_is_said_to_be_none(tmp_path: Path) -> None:
    (fault,) = check_pack.pack_faults(tmp_path)
    assert fault.startswith("domain.toml: it cannot be read")


def test_a_pack_that_is_looked_at_is_not_installed_afterwards(folder: Path) -> None:
    change(folder / "domain.toml", f'key = "{NURSING}"', 'key = "night_nursing"')
    with domain.installed(folder) as pack:
        assert domain.domain_pack("night_nursing") == pack
    with pytest.raises(ValueError, match="there is no domain 'night_nursing'"):
        domain.domain_pack("night_nursing")


def test_a_preview_shows_the_records_that_are_named() -> None:
    folder = domain.folder_of(NURSING)
    _, prompt = check_pack.preview_pack(
        folder, "agency_nurse", "doubt_to_escalation", language="de"
    )
    assert "Grace Mensah" in prompt
    assert "{{" not in prompt
    assert "in German" in prompt
    with pytest.raises(InvalidInputError, match="newly_qualified_nurse"):
        check_pack.preview_pack(folder, "anxious_planner")


def test_the_hints_for_repetitions_are_of_no_domain() -> None:
    lines = {
        line for number in range(VARIATIONS) for line in variation_hint("s", number).splitlines()
    }
    assert len(lines) > 18
    assert [line for line in lines if FINANCE.search(line) or "client" in line] == []


def test_a_repetition_in_another_language_is_told_its_language_last() -> None:
    first, again = (
        assemble_prompt(
            builtin_records(PromptTemplate, NURSING)[0],
            PromptContext(
                persona=builtin_records(Persona, NURSING)[0],
                arc=builtin_records(EmotionalArc, NURSING)[0],
                topic=builtin_records(TrainingTopic, NURSING)[0],
                consultant=builtin_records(Consultant, NURSING)[0],
                tier="template",
                language="de",
            ),
            variation=variation,
        ).user
        for variation in (0, 1)
    )
    assert variation_hint("", 1) not in first
    assert again.index(variation_hint("", 1)) < again.index("in German")


def test_a_persona_has_exactly_the_fields_of_its_domain() -> None:
    nurse = builtin_records(Persona, NURSING)[0]
    assert nurse.background == nurse.field("clinical_background")
    finance = {"income_range", "financial_background", "financial_situation"}
    planned = {**planned_persona().model_dump(), "domain": NURSING}
    with pytest.raises(InvalidInputError, match=f"{NURSING} has no .*income_range"):
        read_record(Persona, planned)
    without = {name: value for name, value in planned.items() if name not in finance}
    with pytest.raises(InvalidInputError) as refusal:
        read_record(Persona, without)
    assert "shift_pattern" in {fault["field"] for fault in refusal.value.details}


def test_a_domain_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="there is no domain 'astrology'"):
        read_record(Persona, {**planned_persona().model_dump(), "domain": "astrology"})


def test_all_of_a_domain_are_its_own_records_and_any_record_is_found_by_its_key() -> None:
    catalog = ScaffoldingCatalog(InMemoryScaffolding())
    assert [one.domain for one in catalog.active("owner", Persona, NURSING)] == [NURSING] * 3
    assert catalog.consultant("owner", NURSING).name == "Morag Sinclair, RN"
    assert catalog.consultant("owner").name == "Elena Morales, CFP"
    assert catalog.persona("owner", "agency_nurse").domain == NURSING
    assert catalog.near_matches("owner", Persona, "agency_nurze") == ["agency_nurse"]


def test_the_starter_is_a_complete_pack_once_it_has_a_key(tmp_path: Path) -> None:
    for source in STARTER.rglob("*.*"):
        written = tmp_path / str(source.relative_to(STARTER)).replace("KEY", "tax_help")
        written.parent.mkdir(exist_ok=True)
        written.write_text(source.read_text("utf-8").replace("KEY", "tax_help"), "utf-8")
    assert check_pack.pack_faults(tmp_path) == []
