"""Editing personas, arcs, topics, templates and the consultant in the browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.accessibility import faults_in_every_look
from tests.console.conftest import SignedIn
from tests.e2e.conftest import Installation

pytestmark = pytest.mark.slow
TOPIC = {
    "topic_key": "pet_insurance",
    "name": "Pet insurance",
    "category": "insurance",
    "complexity_level": "beginner",
    "description": "Whether to insure a cat.",
    "typical_question_examples": ["Is it worth it?"],
    "key_concepts": ["premiums"],
}


def open_record(signed_in: SignedIn, kind: str, name: str) -> Page:
    """Open a record from the list of its kind."""
    page = signed_in.open(f"/scaffolding/{kind}")
    page.get_by_role("table").get_by_role("link", name=name).click()
    page.get_by_role("heading", level=1, name=name).wait_for()
    return page


def forget_refusals(signed_in: SignedIn) -> None:
    """The browser tells of a refused request; the test looks for faults of the page."""
    signed_in.faults = [one for one in signed_in.faults if "status of 4" not in one]


def test_editing_a_built_in_persona_makes_ones_own_version(
    signed_in: SignedIn, system: Installation
) -> None:
    page = open_record(signed_in, "personas", "Marcus Chen")
    page.get_by_text("This persona came with Bright Run.").wait_for()
    expect(page.get_by_label("Key")).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    page.get_by_label("Occupation").fill("Data engineer")
    page.get_by_label("Common concerns").fill("Being judged\n\nHaving waited too long\n")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Marcus Chen was saved.").wait_for()
    page.get_by_text("built-in, edited").wait_for()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    stored = system.client.get("/api/scaffolding/personas/overwhelmed_avoider", {})["persona"]
    assert (stored["occupation"], stored["origin"]) == ("Data engineer", "edited")
    assert stored["common_concerns"] == ["Being judged", "Having waited too long"]


def test_an_edit_is_brought_onto_somebody_elses(signed_in: SignedIn, system: Installation) -> None:
    path = "/api/scaffolding/personas/anxious_planner"
    page = open_record(signed_in, "personas", "Jennifer Martinez")
    page.get_by_label("Occupation").fill("Mine")
    page.get_by_label("Archetype").fill("My archetype")
    system.client.patch(path, {"occupation": "Theirs", "income_range": "Their range"})
    page.get_by_role("button", name="Save").click()
    page.get_by_role("alert").get_by_text("What you typed is kept").wait_for()
    forget_refusals(signed_in)
    page.get_by_role("button", name="Load the newest version").click()
    page.get_by_text("Somebody else changed these too, and yours are shown: Occupation.").wait_for()
    expect(page.get_by_label("Income range")).to_have_value("Their range")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Jennifer Martinez was saved.").wait_for()
    stored = system.client.get(path, {})["persona"]
    assert (stored["occupation"], stored["archetype"], stored["income_range"]) == (
        "Mine",
        "My archetype",
        "Their range",
    )


def test_a_topic_is_created_and_what_is_wrong_is_said_at_its_field(
    signed_in: SignedIn, system: Installation
) -> None:
    page = signed_in.open("/scaffolding/training-topics")
    page.get_by_role("link", name="New topic").click()
    key = page.get_by_role("textbox", name="Key Lower case words")
    key.fill("Holiday Homes")
    page.get_by_label("Name").fill("Holiday homes")
    page.get_by_label("Category").fill("investment")
    page.get_by_label("Description").fill("Whether to buy one.")
    page.get_by_label("Typical questions").fill("Should I?\nWhere?")
    page.get_by_label("Key concepts").fill("rental yield\nupkeep")
    page.get_by_role("group", name="Arcs").get_by_label("Search arcs").fill("fear")
    page.get_by_role("checkbox", name="Fear").check()
    page.get_by_role("button", name="Create").click()
    expect(key).to_have_attribute("aria-invalid", "true")
    forget_refusals(signed_in)
    key.fill("holiday_homes")
    page.get_by_role("button", name="Create").click()
    page.get_by_text("your own").wait_for()
    stored = system.client.get("/api/scaffolding/training-topics/holiday_homes", {})
    topic = stored["training_topic"]
    assert topic["typical_question_examples"] == ["Should I?", "Where?"]
    assert topic["suitable_emotional_arcs"] == ["fear_to_confidence"]


def test_a_deactivated_topic_is_no_choice_until_it_is_activated(
    signed_in: SignedIn, system: Installation
) -> None:
    system.client.post("/api/scaffolding/training-topics", TOPIC)
    page = open_record(signed_in, "training-topics", "Pet insurance")
    page.get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    page.get_by_text("Pet insurance was deactivated.").wait_for()
    page = signed_in.open("/batches/new")
    page.get_by_label("Search topics").fill("pet")
    page.get_by_text('Nothing matches "pet".').wait_for()
    page = signed_in.open("/scaffolding/training-topics?all=true")
    page.get_by_role("table").get_by_role("link", name="Pet insurance").click()
    page.get_by_role("button", name="Activate", exact=True).click()
    page.get_by_text("It can be chosen again.").wait_for()
    stored = system.client.get("/api/scaffolding/training-topics/pet_insurance", {})
    assert stored["training_topic"]["is_active"] is True


def test_a_template_is_rendered_while_it_is_typed(
    signed_in: SignedIn, system: Installation
) -> None:
    name = "Template - Fear"
    page = signed_in.open("/scaffolding/templates")
    page.get_by_role("table").get_by_role("link", name=name).click()
    text = page.get_by_label("Text")
    rendered = page.get_by_label("What Claude would be sent")
    text.fill("Dear {{persona_name}}, about {{topic_name}} and {{mood}}.")
    page.get_by_label("Rendered for").select_option(label="David Chen")
    expect(rendered).to_contain_text("Dear David Chen, about")
    expect(rendered.locator("mark")).to_have_text(["{{mood}}"])
    page.get_by_text("No such placeholder: mood.").wait_for()
    text.fill("Dear {{persona_name")
    page.get_by_text("'{{' without its '}}'").wait_for()
    text.fill("Dear ")
    text.press("End")
    page.get_by_label("Insert a placeholder").select_option("persona_name")
    expect(text).to_have_value("Dear {{persona_name}}")
    expect(rendered).to_contain_text("Dear David Chen")
    expect(rendered.locator("mark")).to_have_count(0)
    page.get_by_role("button", name="Save").click()
    page.get_by_text(re.compile("was saved")).wait_for()
    templates = system.client.get("/api/templates", {})["templates"]
    (saved,) = (one for one in templates if one["template_name"].startswith(name))
    assert saved["template_text"] == "Dear {{persona_name}}"
    forget_refusals(signed_in)


def test_the_consultant_is_edited(signed_in: SignedIn, system: Installation) -> None:
    page = signed_in.open("/scaffolding/consultant")
    page.get_by_label("Years of experience").fill("21")
    page.get_by_label("Principle 3").fill("Explain the reason")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The consultant was saved.").wait_for()
    stored = system.client.get("/api/scaffolding/consultant", {})["consultant"]
    assert stored["years_experience"] == 21
    assert stored["core_philosophy"]["principle_3"] == "Explain the reason"
    assert len(stored["communication_style"]["techniques"]) == 5


def test_a_persona_of_another_domain_is_created_with_its_fields(
    signed_in: SignedIn, system: Installation
) -> None:
    page = signed_in.open("/scaffolding/personas")
    page.get_by_label("Domain").select_option(label="Nursing handover")
    expect(page.get_by_role("table").get_by_text("Marcus Chen")).to_have_count(0)
    page.get_by_role("link", name="New persona").click()
    expect(page.get_by_label("Financial background")).to_have_count(0)
    for label, text in {
        "Name": "Ada Obi",
        "Archetype": "The night nurse",
        "Age range": "30-35",
        "Occupation": "Staff nurse",
        "Clinical setting": "Medical ward",
        "Shift pattern": "Nights",
        "Clinical background": "Six years on medical wards, new to this one.",
        "Current shift": "Twelve patients, two of them unwell, at the end of a long night.",
        "Communication style": "Short sentences, and quick to apologise.",
        "Emotional baseline": "Tired and conscientious.",
        "Typical questions": "What do I say first?",
        "Common concerns": "Forgetting something",
        "Language patterns": "Sorry, one more thing",
    }.items():
        page.get_by_label(re.compile(f"^{label}")).fill(text)
    page.get_by_role("textbox", name="Key Lower case words").fill("night_nurse")
    page.get_by_label(re.compile("^Age.*110$")).fill("33")
    page.get_by_role("button", name="Create").click()
    page.get_by_text("your own").wait_for()
    stored = system.client.get("/api/scaffolding/personas/night_nurse", {})["persona"]
    assert (stored["domain"], stored["shift_pattern"]) == ("nursing_handover", "Nights")
    page.get_by_role("link", name="All personas").click()
    page.get_by_role("table").get_by_text("Ada Obi").wait_for()
    page.get_by_role("link", name="Consultant").click()
    expect(page.get_by_label("System prompt")).to_contain_text("nurse")


def test_a_list_is_searched_by_its_address(signed_in: SignedIn) -> None:
    page = signed_in.open("/scaffolding/emotional-arcs?q=hostility")
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(1)
    page.get_by_label("Search arcs").fill("edge")
    expect(page.get_by_role("table").locator("tbody tr")).to_have_count(3)
    page.get_by_label("Search arcs").fill("nothing like it")
    page.get_by_role("heading", name="Nothing matches").wait_for()
    assert "q=nothing" in page.url


@pytest.mark.parametrize(
    "path",
    [
        "/scaffolding/personas",
        "/scaffolding/emotional-arcs/new",
        "/scaffolding/personas/{persona}",
        "/scaffolding/templates/{template}",
        "/scaffolding/consultant",
    ],
)
def test_every_page_is_accessible_and_fits(
    signed_in: SignedIn, system: Installation, axe_source: str, path: str
) -> None:
    persona = system.client.get("/api/scaffolding/personas", {})["personas"][0]
    template = system.client.get("/api/templates", {})["templates"][0]
    page = signed_in.open(path.format(persona=persona["id"], template=template["id"]))
    page.get_by_role("heading", level=1).wait_for()
    assert faults_in_every_look(page, axe_source) == []
