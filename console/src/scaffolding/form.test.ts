import { expect, test } from "vitest";

import { changesOf, formOf, rebase, recordOf } from "./form";
import { CONSULTANT_FIELDS, KINDS } from "./kinds";
import type { Domain } from "./queries";

const PERSONA = {
  persona_key: "anxious_planner",
  name: "Jennifer",
  demographics: { age: 41, gender: null, family_status: "married", location: null },
  typical_questions: ["Why?", "When?"],
};
const NURSING: Domain = {
  key: "nursing_handover",
  name: "Nursing handover",
  persona_fields: [
    { name: "shift_pattern", label: "Shift pattern", kind: "line", placeholder: "shift" },
    { name: "current_shift", label: "Current shift", kind: "text", placeholder: "now" },
    { name: "wards", label: "Wards", kind: "lines", placeholder: "wards" },
  ],
  countries: ["GB"],
};
const groups = KINDS.personas.groups(NURSING);

test("a form holds nested fields, and lists as lines", () => {
  expect(formOf(PERSONA, groups)).toMatchObject({
    "demographics.age": "41",
    "demographics.gender": "",
    typical_questions: "Why?\nWhen?",
  });
});

test("a persona has the fields of its domain, and none of another's", () => {
  const [who, voice] = groups.map((group) => group.fields.map((field) => field.label));
  expect(who).toContain("Shift pattern");
  expect(voice).toEqual(expect.arrayContaining(["Current shift", "Wards", "Communication style"]));
  expect([who, voice].flat().join()).not.toMatch(/financial|income/i);
});

test("what is not changed is not sent", () => {
  const form = formOf(PERSONA, groups);
  expect(changesOf(form, { ...form }, groups)).toEqual({});
});

test("a change inside a nested field sends that field whole", () => {
  const form = formOf(PERSONA, groups);
  expect(changesOf(form, { ...form, "demographics.age": "42" }, groups)).toEqual({
    demographics: { age: 42, gender: null, family_status: "married", location: null },
  });
});

test("blank lines are no entries", () => {
  const form = formOf(PERSONA, groups);
  const changed = { ...form, typical_questions: " Why? \n\n  \nWhere?" };
  expect(changesOf(form, changed, groups)).toEqual({ typical_questions: ["Why?", "Where?"] });
});

test("an empty number is null and not zero", () => {
  const record = recordOf(formOf({}, CONSULTANT_FIELDS), CONSULTANT_FIELDS);
  expect(record.years_experience).toBeNull();
});

test("a newer version is taken where nothing was typed, and what was typed is kept", () => {
  const base = { name: "A", archetype: "B", occupation: "C" };
  const mine = { ...base, archetype: "mine", occupation: "mine" };
  const newest = { name: "theirs", archetype: "theirs", occupation: "C" };
  expect(rebase(base, mine, newest)).toEqual({
    form: { name: "theirs", archetype: "mine", occupation: "mine" },
    contested: ["archetype"],
  });
});
