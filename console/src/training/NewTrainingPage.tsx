import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { buttonClass } from "@/ui/Button";
import { Card, Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";

import { firstDraft, orderOf } from "./draft";
import { EstimatePanel } from "./EstimatePanel";
import { HyperparameterFields } from "./HyperparameterFields";
import { ComputeFields, DataFields, PresetFields } from "./OrderFields";
import {
  type Choices,
  choicesQuery,
  readyDatasetsQuery,
  type TrainingOrder,
  useOrderTraining,
} from "./queries";
import { useEstimate } from "./useEstimate";

/** Order a training: dataset, preset, hyperparameters, model and GPUs, with a live estimate. */
export function NewTrainingPage() {
  const choices = useQuery(choicesQuery());
  const datasets = useQuery(readyDatasetsQuery());
  return (
    <Page title="New training" lead="Train a LoRA adapter of a base model on one of your datasets.">
      <Loaded query={choices} rows={12}>
        {(given) => (
          <Loaded query={datasets} rows={12}>
            {(ready) =>
              ready.length === 0 ? (
                <Card>
                  <Empty title="No dataset is ready">
                    <p className="max-w-prose text-muted">
                      A training needs a dataset whose validation has succeeded: import a training
                      file, or upload a file of rows.
                    </p>
                    <Link to={"/datasets" as string} className={buttonClass("primary")}>
                      Go to the datasets
                    </Link>
                  </Empty>
                </Card>
              ) : (
                <Order choices={given} datasets={ready} />
              )
            }
          </Loaded>
        )}
      </Loaded>
    </Page>
  );
}

type Datasets = Parameters<typeof DataFields>[0]["datasets"];

function Order({ choices, datasets }: { choices: Choices; datasets: Datasets }) {
  const { dataset } = useSearch({ from: "/training/new" });
  const [draft, setDraft] = useState(() => {
    const known = datasets.find((one) => one.id === dataset) ?? datasets[0];
    return firstDraft(choices, known?.id ?? "");
  });
  const order = orderOf(draft, choices);
  const estimate = useEstimate(order);
  const ordering = useOrdering();
  const chosen = datasets.find((one) => one.id === draft.datasetId);
  const needsConsent = Boolean(chosen?.simulated) && !draft.allowSimulated;
  return (
    <form
      className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]"
      // Enter in a field must not spend money: only the button orders.
      onSubmit={(event) => event.preventDefault()}
    >
      <div className="flex min-w-0 flex-col gap-5">
        <DataFields draft={draft} datasets={datasets} onChange={setDraft} />
        <PresetFields draft={draft} choices={choices} onChange={setDraft} />
        <HyperparameterFields draft={draft} choices={choices} onChange={setDraft} />
        <ComputeFields draft={draft} choices={choices} onChange={setDraft} />
      </div>
      <EstimatePanel
        draft={draft}
        choices={choices}
        estimate={estimate}
        onUse={setDraft}
        ordering={ordering}
        onOrder={() => order && ordering.send(order)}
        hint={
          order === null
            ? "Correct the marked fields first."
            : needsConsent
              ? "This dataset is simulated: agree to train on it first."
              : null
        }
      />
    </form>
  );
}

/** Ordering, which leads to the page of the job. */
function useOrdering() {
  const navigate = useNavigate();
  const { isPending, error, mutate } = useOrderTraining();
  return {
    isPending,
    error,
    send: (order: TrainingOrder) =>
      mutate(order, {
        onSuccess: (job) =>
          void navigate({ to: "/training/jobs/$jobId", params: { jobId: job.id } }),
      }),
  };
}

export type Ordering = ReturnType<typeof useOrdering>;
