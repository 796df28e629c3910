/** The kinds of scaffolding, and the fields of each as its form shows them. */
import {
  arcsQuery,
  type Domain,
  type EmotionalArc,
  type Persona,
  type PersonaField,
  personasQuery,
  type ScaffoldingRecord,
  type Template,
  templatesQuery,
  topicsQuery,
  type TrainingTopic,
} from "./queries";

/**
 * A field of a form. `name` is the API's, with a dot before a field inside another. `lines` are
 * texts, one a line; `keys` are keys of records of the kind `of`, and `key` is one of them.
 */
export type Field = { name: string; label: string; hint?: string; optional?: boolean } & (
  | { type: "line" | "prose" | "lines" | "flag" | "template" }
  | { type: "number"; min: number; max: number; step?: number }
  | { type: "choice"; choices: readonly string[] }
  | { type: "key" | "keys"; of: KindName }
);
export interface FieldGroup {
  title: string;
  fields: Field[];
}

const TIERS = ["template", "scenario", "edge_case"] as const;
const KEY_HINT = "Lower case words joined by _, such as anxious_planner. It never changes.";
const LINES_HINT = "One a line, at most 20.";
const EVERYTHING = "None chosen: all fit.";

const line = (name: string, label: string, hint?: string): Field => ({
  name,
  label,
  hint,
  type: "line",
});
const optionalLine = (name: string, label: string, hint?: string): Field => ({
  ...line(name, label, hint),
  optional: true,
});
const prose = (name: string, label: string, hint?: string): Field => ({
  name,
  label,
  hint,
  type: "prose",
});
const lines = (name: string, label: string, hint = LINES_HINT): Field => ({
  name,
  label,
  hint,
  type: "lines",
});
const number = (name: string, label: string, min: number, max: number, step = 1): Field => ({
  name,
  label,
  type: "number",
  min,
  max,
  step,
});
const keys = (name: string, label: string, of: KindName): Field => ({
  name,
  label,
  type: "keys",
  of,
  hint: EVERYTHING,
});
const tier: Field = { name: "tier", label: "Tier", type: "choice", choices: TIERS };

/** A field that the personas of one domain have, and those of others have not. */
function ofDomain({ name, label, kind }: PersonaField): Field {
  switch (kind) {
    case "line":
      return line(name, label);
    case "text":
      return prose(name, label);
    case "lines":
      return lines(name, label);
  }
}

const personaFields = ({ persona_fields }: Domain): FieldGroup[] => [
  {
    title: "Who it is",
    fields: [
      line("persona_key", "Key", KEY_HINT),
      line("name", "Name"),
      line("archetype", "Archetype"),
      line("age_range", "Age range", "Such as 35-40"),
      line("occupation", "Occupation"),
      ...persona_fields.filter((one) => one.kind === "line").map(ofDomain),
      number("demographics.age", "Age", 18, 110),
      optionalLine("demographics.gender", "Gender"),
      optionalLine("demographics.family_status", "Family"),
      optionalLine("demographics.location", "Location"),
    ],
  },
  {
    title: "Situation and voice",
    fields: [
      ...persona_fields.filter((one) => one.kind !== "line").map(ofDomain),
      prose("communication_style", "Communication style"),
      prose("emotional_baseline", "Emotional baseline"),
      lines("typical_questions", "Typical questions"),
      lines("common_concerns", "Common concerns"),
      lines("language_patterns", "Language patterns"),
    ],
  },
];

const ARC: FieldGroup[] = [
  {
    title: "What it is",
    fields: [
      line("arc_key", "Key", KEY_HINT),
      line("name", "Name"),
      {
        name: "conversation_category",
        label: "Category",
        type: "choice",
        choices: ["core", "edge"],
      },
      tier,
      number("typical_turn_count_min", "Fewest exchanges", 1, 12),
      number("typical_turn_count_max", "Most exchanges", 1, 12),
      number("complexity_baseline", "Complexity, of 10", 1, 10),
      line("arc_strategy", "Strategy", "A key, such as normalize_then_educate"),
    ],
  },
  {
    title: "Emotions, from 0 to 1",
    fields: [
      line("starting_emotion", "Emotion at the start"),
      number("starting_intensity_min", "Least at the start", 0, 1, 0.05),
      number("starting_intensity_max", "Most at the start", 0, 1, 0.05),
      line("ending_emotion", "Emotion at the end"),
      number("ending_intensity_min", "Least at the end", 0, 1, 0.05),
      number("ending_intensity_max", "Most at the end", 0, 1, 0.05),
    ],
  },
  {
    title: "How the consultant answers",
    fields: [
      lines("key_principles", "Principles"),
      lines("characteristic_phrases", "Characteristic phrases"),
      lines("response_techniques", "Techniques"),
      lines("avoid_tactics", "To avoid"),
    ],
  },
  {
    title: "What it fits",
    fields: [
      keys("suitable_personas", "Personas", "personas"),
      keys("suitable_topics", "Topics", "training-topics"),
    ],
  },
];

const TOPIC: FieldGroup[] = [
  {
    title: "What it is",
    fields: [
      line("topic_key", "Key", KEY_HINT),
      line("name", "Name"),
      line("category", "Category", "A key, such as retirement"),
      {
        name: "complexity_level",
        label: "Level",
        type: "choice",
        choices: ["beginner", "intermediate", "advanced"],
      },
      { name: "requires_specialist", label: "Needs a specialist", type: "flag" },
      prose("description", "Description"),
      lines("typical_question_examples", "Typical questions"),
      lines("key_concepts", "Key concepts"),
    ],
  },
  {
    title: "What it fits",
    fields: [
      keys("suitable_personas", "Personas", "personas"),
      keys("suitable_emotional_arcs", "Arcs", "emotional-arcs"),
    ],
  },
];

const TEMPLATE: FieldGroup[] = [
  {
    title: "What it is",
    fields: [
      line("template_name", "Name", "It never changes."),
      optionalLine("description", "Description"),
      { name: "emotional_arc_type", label: "Arc", type: "key", of: "emotional-arcs" },
      tier,
      optionalLine("category", "Category", "A key, such as educational"),
      { ...number("complexity_baseline", "Complexity, of 10", 1, 10), optional: true },
      { ...number("quality_threshold", "Least quality, of 5", 0, 5, 0.1), optional: true },
      { ...number("rating", "Rating, of 5", 0, 5, 0.1), optional: true },
    ],
  },
  { title: "Prompt", fields: [{ name: "template_text", label: "Text", type: "template" }] },
  {
    title: "What it fits",
    fields: [
      keys("suitable_personas", "Personas", "personas"),
      keys("suitable_topics", "Topics", "training-topics"),
    ],
  },
];

const FIVE = "Exactly five, one a line.";

/** The consultant's fields; each domain has one, and its key is the system's. */
export const CONSULTANT_FIELDS: FieldGroup[] = [
  {
    title: "Who it is",
    fields: [
      line("name", "Name"),
      line("business", "Business"),
      line("expertise", "Expertise"),
      number("years_experience", "Years of experience", 0, 80),
    ],
  },
  {
    title: "Philosophy and style",
    fields: [
      ...[1, 2, 3, 4, 5].map((place) =>
        line(`core_philosophy.principle_${place}`, `Principle ${place}`),
      ),
      line("communication_style.tone", "Tone"),
      lines("communication_style.techniques", "Techniques", FIVE),
      lines("communication_style.avoid", "To avoid", FIVE),
    ],
  },
  {
    title: "System prompt",
    fields: [prose("system_prompt", "System prompt", "100 to 4,000 characters, sent to Claude.")],
  },
];

interface Kind {
  /** "persona", with its article and in the plural. */
  one: string;
  article: string;
  many: string;
  path:
    | "/api/scaffolding/personas"
    | "/api/scaffolding/emotional-arcs"
    | "/api/scaffolding/training-topics"
    | "/api/templates";
  /** The field that names a record, which nothing changes later. */
  keyField: string;
  /** The fields of its records in a domain. */
  groups: (domain: Domain) => FieldGroup[];
  /** What a new record begins with. */
  initial: Record<string, unknown>;
  /** What the list says of a record beside its name and key. */
  about: (record: ScaffoldingRecord) => string;
}

export const KINDS = {
  personas: {
    one: "persona",
    article: "a",
    many: "Personas",
    path: "/api/scaffolding/personas",
    keyField: "persona_key",
    groups: personaFields,
    initial: {},
    about: (record) => (record as Persona).archetype,
  },
  "emotional-arcs": {
    one: "arc",
    article: "an",
    many: "Arcs",
    path: "/api/scaffolding/emotional-arcs",
    keyField: "arc_key",
    groups: () => ARC,
    initial: { conversation_category: "core", tier: "template" },
    about: (record) => {
      const arc = record as EmotionalArc;
      return `${arc.conversation_category}: ${arc.starting_emotion} to ${arc.ending_emotion}`;
    },
  },
  "training-topics": {
    one: "topic",
    article: "a",
    many: "Topics",
    path: "/api/scaffolding/training-topics",
    keyField: "topic_key",
    groups: () => TOPIC,
    initial: { complexity_level: "intermediate", requires_specialist: false },
    about: (record) => {
      const topic = record as TrainingTopic;
      return `${topic.category}, ${topic.complexity_level}`;
    },
  },
  templates: {
    one: "template",
    article: "a",
    many: "Templates",
    path: "/api/templates",
    keyField: "template_name",
    groups: () => TEMPLATE,
    initial: { tier: "template" },
    about: (record) => {
      const template = record as Template;
      return `for ${template.emotional_arc_type}, ${template.tier}`;
    },
  },
} as const satisfies Record<string, Kind>;

export type KindName = keyof typeof KINDS;
export const KIND_NAMES = Object.keys(KINDS) as KindName[];

export const isKindName = (name: string): name is KindName => name in KINDS;

/** The kind's description, widened from its literal to what all kinds have in common. */
export const kindOf = (name: KindName): Kind => KINDS[name];

/** The query of all records of a kind in a domain. */
export function recordsQuery(name: KindName, domain?: string) {
  switch (name) {
    case "personas":
      return personasQuery(domain);
    case "emotional-arcs":
      return arcsQuery(domain);
    case "training-topics":
      return topicsQuery(domain);
    case "templates":
      return templatesQuery(domain);
  }
}

/** A record's key, and its name for people. */
export const keyOf = (record: ScaffoldingRecord, name: KindName) =>
  String((record as unknown as Record<string, unknown>)[kindOf(name).keyField]);
export const nameOf = (record: ScaffoldingRecord) =>
  "name" in record ? record.name : record.template_name;
