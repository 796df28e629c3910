/** A form of a record: its fields as people type them, read from a record and turned into changes. */
import type { Field, FieldGroup } from "./kinds";

export type FormValue = string | boolean | string[];
/** What is typed, by the name of the field. */
export type Form = Record<string, FormValue>;
type Plain = Record<string, unknown>;

/** The field at a dotted name, or undefined. */
function at(record: Plain, name: string): unknown {
  return name.split(".").reduce<unknown>((inside, part) => (inside as Plain)?.[part], record);
}

function typed(field: Field, value: unknown): FormValue {
  switch (field.type) {
    case "flag":
      return value === true;
    case "keys":
      return (value as string[] | undefined) ?? [];
    case "lines":
      return ((value as string[] | undefined) ?? []).join("\n");
    default:
      return value === undefined || value === null ? "" : String(value);
  }
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean);

function stored(field: Field, value: FormValue): unknown {
  if (field.type === "flag" || field.type === "keys") return value;
  const text = value as string;
  if (field.type === "lines") return linesOf(text);
  if (text.trim() === "" && (field.optional || field.type === "number")) return null;
  return field.type === "number" ? Number(text) : text;
}

export const fieldsOf = (groups: FieldGroup[]) => groups.flatMap((group) => group.fields);

/** Show a record in its form. */
export function formOf(record: object, groups: FieldGroup[]): Form {
  return Object.fromEntries(
    fieldsOf(groups).map((field) => [field.name, typed(field, at(record as Plain, field.name))]),
  );
}

/** The fields of a form as the API takes them. */
export function recordOf(form: Form, groups: FieldGroup[]): Plain {
  const record: Plain = {};
  for (const field of fieldsOf(groups)) {
    const parts = field.name.split(".");
    const last = parts.pop() as string;
    let inside = record;
    for (const part of parts) inside = (inside[part] ??= {}) as Plain;
    inside[last] = stored(field, form[field.name] ?? "");
  }
  return record;
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** The fields of `after` that differ from `before`; a field with others inside is taken whole. */
export function changesOf(before: Form, after: Form, groups: FieldGroup[]): Plain {
  const old = recordOf(before, groups);
  return Object.fromEntries(
    Object.entries(recordOf(after, groups)).filter(([name, value]) => !same(value, old[name])),
  );
}

/**
 * Bring what is typed onto a newer version: fields that were not touched take its values, those
 * that were keep theirs. `contested` names the fields that both changed.
 */
export function rebase(
  base: Form,
  mine: Form,
  newest: Form,
): { form: Form; contested: readonly string[] } {
  const touched = Object.keys(mine).filter((name) => !same(mine[name], base[name]));
  const kept = Object.fromEntries(touched.map((name) => [name, mine[name] as FormValue]));
  const contested = touched.filter(
    (name) => !same(newest[name], base[name]) && !same(newest[name], mine[name]),
  );
  return { form: { ...newest, ...kept }, contested };
}
