import type { components } from "@/api/schema";
import { Field, Select, TextInput } from "@/ui/Field";
import { count, counted, usd } from "@/ui/format";
import { Card } from "@/ui/Page";

import { type Draft, isCpu, isLocal, withModel, withPreset } from "./draft";
import type { Choices } from "./queries";

type Dataset = components["schemas"]["DatasetSummary"];
interface Part {
  draft: Draft;
  choices: Choices;
  onChange: (draft: Draft) => void;
}

export function DataFields({
  draft,
  datasets,
  onChange,
}: Omit<Part, "choices"> & { datasets: Dataset[] }) {
  const chosen = datasets.find((one) => one.id === draft.datasetId);
  return (
    <Card title="What to train on">
      <div className="grid gap-4 p-4 sm:grid-cols-2">
        <Field
          label="Dataset"
          hint={
            chosen &&
            `${count(chosen.trainable_pairs ?? 0)} pairs to train on, ${count(chosen.total_tokens ?? 0)} tokens`
          }
        >
          <Select
            className="w-full"
            value={draft.datasetId}
            onChange={(event) =>
              onChange({ ...draft, datasetId: event.target.value, allowSimulated: false })
            }
          >
            {datasets.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Name" hint="Optional; the job is named after its dataset otherwise.">
          <TextInput
            value={draft.name}
            maxLength={255}
            onChange={(event) => onChange({ ...draft, name: event.target.value })}
          />
        </Field>
        {chosen?.simulated && (
          <label className="flex items-start gap-2 rounded-md bg-warn-soft p-3 text-sm text-warn sm:col-span-2">
            <input
              type="checkbox"
              className="mt-1"
              checked={draft.allowSimulated}
              onChange={(event) => onChange({ ...draft, allowSimulated: event.target.checked })}
            />
            No model wrote these conversations: they are simulated, and teach a model nothing. Train
            on them all the same.
          </label>
        )}
      </div>
    </Card>
  );
}

const PRESETS: Record<string, string> = {
  fast: "Quick and small, to see whether it works.",
  balanced: "A good first training.",
  quality: "Slower, with a larger adapter.",
};

export function PresetFields({ draft, choices, onChange }: Part) {
  return (
    <Card>
      <fieldset>
        <legend className="sr-only">Preset</legend>
        <h2 className="border-b border-line px-4 py-2.5 text-sm font-semibold">Preset</h2>
        <div className="grid gap-3 p-4 sm:grid-cols-3">
          {choices.presets.map(({ id, hyperparameters: values }) => {
            if (values === null) return null;
            return (
              <label
                key={id}
                className="flex cursor-pointer items-start gap-2 rounded-md border border-line p-3 text-sm has-checked:border-accent has-checked:bg-accent-soft"
              >
                <input
                  type="radio"
                  name="preset"
                  className="mt-1"
                  checked={draft.presetId === id}
                  onChange={() => onChange(withPreset(draft, choices, id))}
                />
                <span>
                  <span className="font-medium capitalize">{id}</span>
                  <span className="block text-xs text-muted">{PRESETS[id]}</span>
                  <span className="mt-1 block text-xs text-muted tabular-nums">
                    {counted(values.epochs, "epoch")}, rank {values.rank}, batch {values.batch_size}
                  </span>
                </span>
              </label>
            );
          })}
        </div>
      </fieldset>
    </Card>
  );
}

export function ComputeFields({ draft, choices, onChange }: Part) {
  const model = choices.base_models.find((one) => one.key === draft.baseModel);
  const gpu = choices.gpu_types.find((one) => one.key === draft.gpu.type);
  const wantsCpu = isLocal(choices, draft.baseModel);
  return (
    <Card title="Model and machine">
      <div className="grid gap-4 p-4 sm:grid-cols-2">
        <Field
          label="Base model"
          hint={
            model &&
            `${parameters(model.parameters)} parameters, licence ${model.license}${model.gated ? ", access has to be requested at the hub" : ""}`
          }
        >
          <Select
            className="w-full"
            value={draft.baseModel}
            onChange={(event) => onChange(withModel(draft, choices, event.target.value))}
          >
            {choices.base_models.map((one) => (
              <option key={one.key} value={one.key}>
                {one.key}
                {one.local_only ? " (on this machine)" : ""}
              </option>
            ))}
          </Select>
        </Field>
        <div className="grid grid-cols-[1fr_5rem] items-start gap-3">
          <Field label="GPU type" hint={gpu && `${gpu.memory_gib} GiB each`}>
            <Select
              className="w-full"
              value={draft.gpu.type}
              onChange={(event) =>
                onChange({ ...draft, gpu: { type: event.target.value, count: 1 } })
              }
            >
              {choices.gpu_types.map((one) => (
                <option
                  key={one.key}
                  value={one.key}
                  disabled={!one.trainable || isCpu(one) !== wantsCpu}
                >
                  {one.key}
                  {one.trainable ? "" : " (cannot be trained on)"}
                </option>
              ))}
            </Select>
          </Field>
          <Field label="Count">
            <Select
              className="w-full"
              value={draft.gpu.count}
              onChange={(event) =>
                onChange({ ...draft, gpu: { ...draft.gpu, count: Number(event.target.value) } })
              }
            >
              {gpu?.counts.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </Select>
          </Field>
        </div>
        <Field
          label="Spending cap in US dollars"
          hint="Optional. Training stops before it and still delivers an adapter."
        >
          <TextInput
            type="number"
            min={0}
            step="any"
            placeholder={`No cap; ${usd(5)} for example`}
            value={draft.cap ?? ""}
            onChange={(event) =>
              onChange({ ...draft, cap: event.target.value ? event.target.valueAsNumber : null })
            }
          />
        </Field>
        <label className="flex items-start gap-2 text-sm sm:pt-6">
          <input
            type="checkbox"
            className="mt-1"
            checked={draft.spot}
            disabled={wantsCpu}
            onChange={(event) => onChange({ ...draft, spot: event.target.checked })}
          />
          <span>
            <span className="font-medium">Spot capacity</span>
            <span className="block text-xs text-muted">
              Cheaper; it may be taken back, and the job then goes on from its last checkpoint.
            </span>
          </span>
        </label>
      </div>
    </Card>
  );
}

const parameters = (value: number) =>
  value >= 1e9 ? `${(value / 1e9).toFixed(1)} billion` : `${(value / 1e6).toFixed(1)} million`;
