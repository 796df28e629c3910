import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { coverageQuery } from "@/coverage/queries";
import { readTable, tableOf } from "@/scaffolding/combinations";
import { DomainSelect } from "@/scaffolding/DomainSelect";
import { type Choices, useChoices } from "@/scaffolding/useChoices";
import { Button } from "@/ui/Button";
import { Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { useDebounced } from "@/ui/useDebounced";

import { orderOf } from "./order";
import { OrderForm } from "./OrderForm";
import { OrderPreview } from "./OrderPreview";
import { PromptDialog } from "./PromptDialog";
import { batchPreviewQuery } from "./queries";
import { SampleCard, useSample } from "./SampleCard";
import type { NewBatchSearch } from "./search";
import { SelectionPicker } from "./SelectionPicker";
import { TableInput } from "./TableInput";
import { useTableText } from "./useTableText";

/** Order a batch: what to write, what it costs and takes, a sample first, and then the rest. */
export function NewBatchPage() {
  const choices = useChoices(useSearch({ from: "/batches/new" }).domain);
  return (
    <Page
      title="New batch"
      lead="One conversation is written for every combination of persona, arc and topic."
    >
      <Loaded query={choices} rows={12}>
        {(loaded) => <Order choices={loaded} />}
      </Loaded>
    </Page>
  );
}

/** The combinations without a conversation, as a table, where the address asks for them. */
function useGaps(search: NewBatchSearch, choices: Choices): string | undefined {
  const read = useQuery({ ...coverageQuery(), enabled: search.gaps === true }).data;
  if (!search.gaps) return undefined;
  const keys = (chosen: NewBatchSearch["personas"], all: { key: string }[]) =>
    Array.isArray(chosen) ? chosen : all.map((one) => one.key);
  const gaps = read?.coverage.gaps(
    keys(search.personas, choices.personas),
    keys(search.arcs, choices.arcs),
    keys(search.topics, choices.topics),
  );
  return gaps && tableOf(gaps);
}

function Order({ choices }: { choices: Choices }) {
  const search = useSearch({ from: "/batches/new" });
  const navigate = useNavigate({ from: "/batches/new" });
  const change = (next: Partial<NewBatchSearch>) =>
    void navigate({
      search: (old) => ({ ...old, ...next }),
      replace: true,
      resetScroll: false,
    });
  const [typed, setTyped] = useTableText();
  const gaps = useGaps(search, choices);
  const text = search.gaps ? (gaps ?? "") : typed;
  const table = readTable(search.table ? text : "", choices.known);
  const sample = useSample(search.sample);
  const order = orderOf(search, table.combinations, sample?.combinations);
  const settled = useDebounced(JSON.stringify(order));
  const preview = useQuery(batchPreviewQuery(JSON.parse(settled)));
  const [showsPrompt, setShowsPrompt] = useState(false);

  return (
    <div className="grid grid-cols-1 items-start gap-5 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <div className="flex min-w-0 flex-col gap-4">
        <DomainSelect
          domain={search.domain}
          onChange={(domain) =>
            change({
              domain,
              personas: undefined,
              arcs: undefined,
              topics: undefined,
              gaps: undefined,
            })
          }
        />
        <Source search={search} onChange={change} />
        {search.table ? (
          <TableInput
            text={text}
            isLoading={search.gaps === true && gaps === undefined}
            isGaps={search.gaps === true}
            faults={table.faults}
            count={table.combinations.length}
            onChange={(next) => {
              setTyped(next);
              change({ gaps: undefined });
            }}
          />
        ) : (
          <SelectionPicker search={search} choices={choices} onChange={change} />
        )}
      </div>
      <div className="flex min-w-0 flex-col gap-4 lg:sticky lg:top-4">
        {sample && <SampleCard sample={sample} onForget={() => change({ sample: undefined })} />}
        <OrderPreview
          preview={order ? preview : undefined}
          isSettled={JSON.stringify(order) === settled}
          onShowPrompt={() => setShowsPrompt(true)}
        />
        <OrderForm
          key={search.sample}
          search={search}
          order={table.faults.length > 0 ? null : order}
          preview={order ? preview.data : undefined}
          isRest={sample !== undefined}
          onChange={change}
        />
      </div>
      {showsPrompt && preview.data && (
        <PromptDialog
          choices={choices}
          items={preview.data.items}
          onClose={() => setShowsPrompt(false)}
        />
      )}
    </div>
  );
}

/** Where the combinations come from: chosen, or a table. */
const Source = ({
  search,
  onChange,
}: {
  search: NewBatchSearch;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) => (
  <div role="group" aria-label="What to write" className="flex flex-wrap gap-2">
    <Button
      aria-pressed={!search.table}
      kind={search.table ? "quiet" : "plain"}
      onClick={() => onChange({ table: undefined, gaps: undefined })}
    >
      Every combination of a choice
    </Button>
    <Button
      aria-pressed={search.table === true}
      kind={search.table ? "plain" : "quiet"}
      onClick={() => onChange({ table: true })}
    >
      A table of combinations
    </Button>
  </div>
);
