import { type FormEvent, type ReactNode, useState } from "react";

import { ApiProblem } from "@/api/problem";
import { GroupButton } from "@/session/GroupButton";
import { Button } from "@/ui/Button";
import { words } from "@/ui/format";
import { Card } from "@/ui/Page";
import { toast } from "@/ui/toast";

import { changesOf, type Form, formOf, rebase } from "./form";
import { FormField } from "./FormField";
import type { Field, FieldGroup } from "./kinds";
import { TemplateEditor } from "./TemplateEditor";

export interface Saving {
  isPending: boolean;
  error: Error | null;
  reset: () => void;
}

/**
 * A form over a record that others may change meanwhile. A conflict keeps what is typed: the newest
 * version is loaded below it, and fields that both changed are named before it is saved again.
 */
export function RecordForm({
  record,
  groups,
  keyField,
  isNew,
  saving,
  onSave,
  onReload,
  actions,
}: {
  record: object;
  groups: FieldGroup[];
  /** The field that cannot change once the record exists. */
  keyField?: string;
  isNew?: boolean;
  saving: Saving;
  onSave: (form: Form, base: Form) => Promise<object>;
  /** Read the newest version. */
  onReload: () => Promise<object>;
  actions?: ReactNode;
}) {
  const [base, setBase] = useState(() => formOf(record, groups));
  const [form, setForm] = useState(base);
  const [contested, setContested] = useState<readonly string[]>([]);
  const isChanged = isNew || Object.keys(changesOf(base, form, groups)).length > 0;
  const isStale = saving.error instanceof ApiProblem && saving.error.code === "version_conflict";

  async function save(event: FormEvent) {
    event.preventDefault();
    const saved = formOf(await onSave(form, base), groups);
    setBase(saved);
    setForm(saved);
    setContested([]);
  }
  async function takeNewest() {
    const newest = formOf(await onReload(), groups);
    const { form: merged, contested: both } = rebase(base, form, newest);
    setBase(newest);
    setForm(merged);
    setContested(both);
    saving.reset();
    toast("The newest version is loaded; what you typed is kept.");
  }
  const labelOf = (name: string) =>
    groups.flatMap((group) => group.fields).find((field) => field.name === name)?.label ?? name;

  return (
    <form onSubmit={(event) => void save(event).catch(() => undefined)} className="contents">
      {groups.map((group) => (
        <FormGroup
          key={group.title}
          group={group}
          form={form}
          error={saving.error}
          keyField={isNew ? undefined : keyField}
          onChange={(name, value) => setForm((old) => ({ ...old, [name]: value }))}
        />
      ))}
      {saving.error && (
        <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
          {saving.error.message}
          {isStale && " What you typed is kept: load the newest version, compare, and save again."}
        </p>
      )}
      {contested.length > 0 && (
        <p role="alert" className="rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
          Somebody else changed these too, and yours are shown: {contested.map(labelOf).join(", ")}.
        </p>
      )}
      <div className="sticky bottom-0 flex flex-wrap justify-end gap-2 border-t border-line bg-page py-3">
        {actions}
        {isStale && <Button onClick={() => void takeNewest()}>Load the newest version</Button>}
        <GroupButton
          needs="writers"
          kind="primary"
          type="submit"
          disabled={saving.isPending || !isChanged}
        >
          {isNew ? "Create" : "Save"}
        </GroupButton>
      </div>
    </form>
  );
}

function FormGroup({
  group,
  form,
  error,
  keyField,
  onChange,
}: {
  group: FieldGroup;
  form: Form;
  error: Error | null;
  keyField?: string;
  onChange: (name: string, value: Form[string]) => void;
}) {
  const [only] = group.fields;
  if (only?.type === "template") {
    return (
      <TemplateEditor
        text={form[only.name] as string}
        arcKey={form.emotional_arc_type as string}
        tier={form.tier as string}
        onChange={(text) => onChange(only.name, text)}
        fault={faultOf(error, only)}
      />
    );
  }
  return (
    <Card title={group.title}>
      <div className="grid grid-cols-1 gap-4 p-4 sm:grid-cols-2">
        {group.fields.map((field) => (
          <FormField
            key={field.name}
            field={field}
            value={form[field.name] ?? ""}
            onChange={(value) => onChange(field.name, value)}
            fault={faultOf(error, field)}
            fixed={field.name === keyField}
          />
        ))}
      </div>
    </Card>
  );
}

/** What the API says about a field, or about an entry of its list. */
function faultOf(error: Error | null, field: Field): string | undefined {
  if (!(error instanceof ApiProblem) || !Array.isArray(error.details)) return undefined;
  const faults = error.details as { field?: string; message?: string }[];
  const fault = faults.find(
    (one) => one.field === field.name || one.field?.startsWith(`${field.name}.`),
  );
  if (!fault?.message) return undefined;
  const place = fault.field?.slice(field.name.length + 1);
  const entry = place && /^\d+$/.test(place) ? `Line ${Number(place) + 1}: ` : "";
  return `${entry}${words(fault.message)}`;
}
