import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";

import { ApiProblem } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Field, Select, TextInput } from "@/ui/Field";
import { Card } from "@/ui/Page";
import { Skeleton } from "@/ui/states";

import { baseModelsQuery, type Dataset, type ReceiptOrder, receiptQuery } from "./queries";
import { ReceiptFigures } from "./ReceiptFigures";
import { ReceiptRows } from "./ReceiptRows";

const SETTINGS = { max_seq_length: 4096, epochs: 3, batch_size: 16, rows_shown: 5 };
const FIELDS = [
  { name: "max_seq_length", label: "Longest sequence", min: 32, max: 131_072 },
  { name: "epochs", label: "Epochs", min: 1, max: 20 },
  { name: "batch_size", label: "Batch size", min: 1, max: 64 },
  { name: "rows_shown", label: "Rows shown", min: 0, max: 20 },
] as const;

/** What a base model will see of the dataset, counted with the trainer's own code. */
export function ReceiptCard({ dataset }: { dataset: Dataset }) {
  const [order, setOrder] = useState<ReceiptOrder | null>(null);
  const receipt = useQuery({
    ...receiptQuery(dataset.id, dataset.validation_run, order ?? {}),
    enabled: order !== null,
  });
  return (
    <Card title="Receipt: what a model will see">
      <OrderForm isPending={receipt.isFetching} onOrder={setOrder} />
      {receipt.isFetching && <Skeleton rows={8} />}
      {receipt.error && !receipt.isFetching && <Refused error={receipt.error} />}
      {receipt.data && !receipt.isFetching && (
        <>
          <ReceiptFigures receipt={receipt.data} />
          <ReceiptRows rows={receipt.data.shown} />
        </>
      )}
    </Card>
  );
}

function OrderForm({
  isPending,
  onOrder,
}: {
  isPending: boolean;
  onOrder: (order: ReceiptOrder) => void;
}) {
  const models = useQuery(baseModelsQuery());
  const [model, setModel] = useState<string | null>(null);
  const [settings, setSettings] = useState<Record<keyof typeof SETTINGS, number>>(SETTINGS);
  const choices = models.data?.base_models ?? [];
  const preset = choices.find((one) => one.default)?.key ?? "";
  function order(event: FormEvent) {
    event.preventDefault();
    onOrder({ base_model: model ?? (preset || undefined), ...settings });
  }
  return (
    <form onSubmit={order} className="flex flex-wrap items-end gap-3 border-b border-line p-4">
      <Field label="Base model">
        <Select value={model ?? preset} onChange={(event) => setModel(event.target.value)}>
          {choices.map((one) => (
            <option key={one.key}>{one.key}</option>
          ))}
        </Select>
      </Field>
      {FIELDS.map(({ name, label, min, max }) => (
        <Field key={name} label={label}>
          <TextInput
            type="number"
            required
            min={min}
            max={max}
            className="w-28"
            value={Number.isNaN(settings[name]) ? "" : settings[name]}
            onChange={(event) => setSettings({ ...settings, [name]: event.target.valueAsNumber })}
          />
        </Field>
      ))}
      <Button kind="primary" type="submit" disabled={isPending}>
        Count
      </Button>
    </form>
  );
}

const NEXT: Record<string, string> = {
  tokenizer_missing:
    "A local system builds its small model in its first minute: try again then, or choose the model named tiny. On AWS an operator uploads the tokenizer.",
  untrainable: "Choose another base model, or mend what the sentence above names.",
  uncountable:
    "Choose another base model, or count the file with `brightrun receipt` on your computer.",
};

function Refused({ error }: { error: Error }) {
  const next = error instanceof ApiProblem ? NEXT[error.code] : undefined;
  return (
    <div role="alert" className="flex flex-col gap-1 p-4 text-sm">
      <p className="font-medium text-bad">This cannot be counted</p>
      <p className="break-words">{error.message}</p>
      {next && <p className="text-muted">{next}</p>}
    </div>
  );
}
