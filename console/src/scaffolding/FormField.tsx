import { Field, Select, TextArea, TextInput } from "@/ui/Field";
import { words } from "@/ui/format";
import { PickList } from "@/ui/PickList";

import type { FormValue } from "./form";
import { type Field as FieldDescription, keyOf, type KindName, nameOf } from "./kinds";
import { useRecords } from "./useRecords";

/** All records of a kind, as things to choose. */
function useRecordChoices(kind: KindName) {
  const records = useRecords(kind);
  return (records.data ?? []).map((one) => ({ key: keyOf(one, kind), label: nameOf(one) }));
}

interface Control<F extends FieldDescription = FieldDescription> {
  field: F;
  value: FormValue;
  onChange: (value: FormValue) => void;
  /** What the API said about this field. */
  fault?: string;
  /** The field names the record and cannot be changed. */
  fixed?: boolean;
}

/** The control of one field, with its hint and with what is wrong with it. */
export function FormField(control: Control) {
  const { field, fault, fixed } = control;
  const wide = ["prose", "lines", "keys"].includes(field.type);
  return (
    <div className={`flex min-w-0 flex-col gap-1 ${wide ? "sm:col-span-2" : ""}`}>
      <Input {...control} />
      {fault && (
        <p role="alert" className="text-xs text-bad">
          {fault}
        </p>
      )}
      {fixed && <p className="text-xs text-muted">It never changes.</p>}
    </div>
  );
}

function Input({ field, value, onChange, fault, fixed }: Control) {
  const text = value as string;
  const common = {
    value: text,
    disabled: fixed,
    "aria-invalid": fault ? true : undefined,
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  const label = field.optional ? `${field.label} (optional)` : field.label;
  switch (field.type) {
    case "flag":
      return (
        <label className="flex items-center gap-2 self-start pt-6 text-sm font-medium">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={value === true}
            onChange={(event) => onChange(event.target.checked)}
          />
          {field.label}
        </label>
      );
    case "keys":
      return <KeysInput of={field.of} title={label} hint={field.hint} {...{ value, onChange }} />;
    case "key":
      return <KeyInput of={field.of} label={label} {...{ value, onChange }} />;
    case "choice":
      return (
        <Field label={label} hint={field.hint}>
          <Select {...common}>
            {field.choices.map((one) => (
              <option key={one} value={one}>
                {words(one)}
              </option>
            ))}
          </Select>
        </Field>
      );
    case "number":
      return (
        <Field label={label} hint={field.hint ?? `${field.min} to ${field.max}`}>
          <TextInput
            type="number"
            inputMode="decimal"
            min={field.min}
            max={field.max}
            step={field.step}
            {...common}
          />
        </Field>
      );
    case "prose":
    case "lines":
    case "template":
      return (
        <Field label={label} hint={field.hint}>
          <TextArea rows={field.type === "prose" ? 4 : 5} {...common} />
        </Field>
      );
    case "line":
      return (
        <Field label={label} hint={fixed ? undefined : field.hint}>
          <TextInput {...common} />
        </Field>
      );
  }
}

interface Chooser {
  of: KindName;
  value: FormValue;
  onChange: (value: FormValue) => void;
}

const KeysInput = ({
  of,
  title,
  hint,
  value,
  onChange,
}: Chooser & { title: string; hint?: string }) => (
  <PickList
    title={title}
    hint={hint}
    picks={useRecordChoices(of)}
    chosen={value as string[]}
    onChange={onChange}
  />
);

const KeyInput = ({ of, label, value, onChange }: Chooser & { label: string }) => (
  <Field label={label}>
    <Select value={value as string} onChange={(event) => onChange(event.target.value)}>
      <option value="">Choose one</option>
      {useRecordChoices(of).map((one) => (
        <option key={one.key} value={one.key}>
          {one.label}
        </option>
      ))}
    </Select>
  </Field>
);
