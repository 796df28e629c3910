import { useId } from "react";

import { Select, TextInput } from "@/ui/Field";
import { significant, words } from "@/ui/format";
import { Card } from "@/ui/Page";

import {
  ALL_LINEAR,
  changedValues,
  type Draft,
  METHODS,
  nearest,
  type NumberName,
  problems,
  stops,
  withNumber,
  withPreset,
} from "./draft";
import type { Choices } from "./queries";

const LABELS: Record<NumberName, [string, string]> = {
  epochs: ["Epochs", "How often the whole dataset is trained on."],
  learning_rate: ["Learning rate", "The size of a step at its highest."],
  batch_size: ["Batch size", "Conversations in one step."],
  rank: ["Rank", "The size of the adapter."],
  alpha: ["Alpha", "The adapter’s weight; usually twice its rank."],
  dropout: ["Dropout", "Share of the adapter that a step leaves out."],
  max_seq_length: ["Longest sequence", "Tokens; older turns of longer conversations are cut."],
  evaluations_per_epoch: [
    "Evaluations per epoch",
    "How often held-out rows are measured; 0: automatic.",
  ],
  early_stopping_patience: [
    "Patience",
    "End after so many evaluations without improvement; 0: never.",
  ],
};
const USUAL: NumberName[] = ["epochs", "learning_rate", "batch_size", "rank"];
const ADVANCED: NumberName[] = [
  "alpha",
  "dropout",
  "max_seq_length",
  "evaluations_per_epoch",
  "early_stopping_patience",
];
const METHOD_WORDS: Record<string, string> = {
  lora: "LoRA",
  rslora: "rsLoRA, for high ranks",
  qlora: "QLoRA, the base model in 4 bits",
};

interface Part {
  draft: Draft;
  choices: Choices;
  onChange: (draft: Draft) => void;
}

/** Sliders and numbers within the API's ranges; the rarer ones are folded away. */
export function HyperparameterFields({ draft, choices, onChange }: Part) {
  const wrong = problems(draft, choices);
  const changed = changedValues(draft, choices);
  const numbers = (names: NumberName[]) =>
    names.map((name) => (
      <NumberField
        key={name}
        name={name}
        value={draft.values[name]}
        range={choices.ranges[name] ?? { lowest: 0, highest: 0 }}
        problem={wrong[name]}
        onChange={(value) => onChange(withNumber(draft, name, value))}
      />
    ));
  return (
    <Card title="Hyperparameters">
      <div className="grid gap-x-6 gap-y-4 p-4 sm:grid-cols-2">{numbers(USUAL)}</div>
      <details className="border-t border-line" open={ADVANCED.some((name) => wrong[name])}>
        <summary className="cursor-pointer px-4 py-2.5 text-sm font-medium">Advanced</summary>
        <div className="grid gap-x-6 gap-y-4 p-4 pt-1 sm:grid-cols-2">
          {numbers(ADVANCED)}
          <MethodField draft={draft} onChange={onChange} />
          <ModulesField draft={draft} choices={choices} onChange={onChange} />
        </div>
      </details>
      <p className="flex min-h-11 flex-wrap items-center gap-2 border-t border-line px-4 py-2 text-xs text-muted">
        {changed.length === 0
          ? `As the preset ${draft.presetId} has them.`
          : `Changed from ${draft.presetId}: ${changed.map(words).join(", ")}.`}
        {changed.length > 0 && (
          <button
            type="button"
            className="text-accent underline"
            onClick={() => onChange(withPreset(draft, choices, draft.presetId))}
          >
            Take the preset’s
          </button>
        )}
      </p>
    </Card>
  );
}

function NumberField({
  name,
  value,
  range,
  problem,
  onChange,
}: {
  name: NumberName;
  value: number | null;
  range: { lowest: number; highest: number };
  problem: string | undefined;
  onChange: (value: number | null) => void;
}) {
  const id = useId();
  const [label, hint] = LABELS[name];
  const all = stops(name, range.lowest, range.highest);
  const shown = value ?? range.lowest;
  return (
    <div className="text-sm">
      <div className="flex items-center justify-between gap-3">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        <TextInput
          id={id}
          type="number"
          min={range.lowest}
          max={range.highest}
          step={name === "learning_rate" || name === "dropout" ? "any" : 1}
          className={`w-28 text-right tabular-nums ${problem ? "border-bad" : ""}`}
          aria-describedby={`${id}-hint`}
          aria-invalid={problem !== undefined}
          value={value ?? ""}
          onChange={({ target }) =>
            onChange(Number.isFinite(target.valueAsNumber) ? target.valueAsNumber : null)
          }
        />
      </div>
      <input
        type="range"
        aria-label={`${label}, slider`}
        aria-valuetext={significant(shown)}
        className="mt-1 w-full accent-(--accent)"
        min={0}
        max={all.length - 1}
        value={nearest(all, shown)}
        onChange={({ target }) => onChange(all[target.valueAsNumber] ?? null)}
      />
      <p id={`${id}-hint`} className={`text-xs ${problem ? "text-bad" : "text-muted"}`}>
        {problem ?? hint}
      </p>
    </div>
  );
}

function MethodField({ draft, onChange }: Omit<Part, "choices">) {
  return (
    <label className="flex flex-col gap-1 text-sm">
      <span className="font-medium">Method</span>
      <Select
        value={draft.values.method}
        onChange={({ target }) =>
          onChange({ ...draft, values: { ...draft.values, method: target.value } })
        }
      >
        {METHODS.map((one) => (
          <option key={one} value={one}>
            {METHOD_WORDS[one]}
          </option>
        ))}
      </Select>
    </label>
  );
}

/** The modules of the base model that get an adapter: all linear ones, or some by name. */
function ModulesField({ draft, choices, onChange }: Part) {
  const known = choices.base_models.find((one) => one.key === draft.baseModel)?.target_modules;
  const chosen = draft.values.target_modules;
  const isAll = chosen.includes(ALL_LINEAR);
  const set = (next: string[]) => {
    const target_modules = next.length === 0 || next.length === known?.length ? [ALL_LINEAR] : next;
    onChange({ ...draft, values: { ...draft.values, target_modules } });
  };
  return (
    <fieldset className="text-sm">
      <legend className="font-medium">Modules with an adapter</legend>
      <div className="mt-1 flex flex-wrap gap-x-4 gap-y-1">
        {known?.map((name) => {
          const isOn = isAll || chosen.includes(name);
          const rest = (isAll ? known : chosen).filter((one) => one !== name);
          return (
            <label key={name} className="flex items-center gap-1.5">
              <input
                type="checkbox"
                checked={isOn}
                onChange={() => set(isOn ? rest : [...chosen, name])}
              />
              {name}
            </label>
          );
        })}
      </div>
      <p className="mt-1 text-xs text-muted">{isAll ? "All linear layers." : "These only."}</p>
    </fieldset>
  );
}
