import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Badge, type Tone } from "@/ui/Badge";
import { buttonClass } from "@/ui/Button";
import { ChoiceFilter, DayFilters, Filters, LinkedFilters } from "@/ui/Filter";
import { count, duration, percent, usd, words } from "@/ui/format";
import { List } from "@/ui/List";
import { Card, Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { GenerationTabs } from "./GenerationTabs";
import { type Call, callListQuery, statisticsQuery } from "./queries";
import { CALL_KINDS, CALL_STATUSES, type CallSearch } from "./search";

/** Every call to Claude, newest first, with what it cost and how long it took. */
export function GenerationLogPage() {
  const search = useSearch({ from: "/generation-log" });
  const navigate = useNavigate({ from: "/generation-log" });
  const isFiltered = Object.values(search).some((value) => value !== undefined);
  const change = (next: CallSearch) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <Page title="Calls to Claude" lead="Every call that was made to write or to judge.">
      <GenerationTabs />
      <Statistics />
      <Filters>
        <ChoiceFilter
          label="Outcome"
          any="Any outcome"
          choices={CALL_STATUSES}
          value={search.status}
          onChange={(status) => change({ status })}
        />
        <ChoiceFilter
          label="What for"
          any="For anything"
          choices={CALL_KINDS}
          value={search.kind}
          onChange={(kind) => change({ kind })}
        />
        <DayFilters from={search.from} to={search.to} onChange={change} />
        <LinkedFilters
          names={["batch", "model"]}
          search={search}
          onClear={(name) => change({ [name]: undefined })}
        />
      </Filters>
      <List
        query={useInfiniteQuery(callListQuery(search))}
        caption="Calls to Claude"
        head={HEAD}
        row={(call) => <CallCells call={call} />}
        onShowAll={isFiltered ? () => void navigate({ search: {} }) : undefined}
        none={
          <Empty title="No call yet">
            <p className="text-muted">A batch calls Claude once for each conversation.</p>
            <Link to="/batches/new" className={buttonClass("primary")}>
              New batch
            </Link>
          </Empty>
        }
      />
    </Page>
  );
}

function Statistics() {
  const cost = useQuery(statisticsQuery("cost"));
  const performance = useQuery(statisticsQuery("performance"));
  return (
    <Card title="In all">
      <Loaded query={cost} rows={2}>
        {(money) => (
          <Loaded query={performance} rows={2}>
            {(speed) => (
              <dl className="grid grid-cols-2 gap-4 p-4 text-sm sm:grid-cols-3 lg:grid-cols-6">
                <Figure label="Spent">{usd(money.total_cost_usd)}</Figure>
                <Figure label="Calls">{count(money.calls)}</Figure>
                <Figure label="Successful">
                  {speed.success_rate === null ? "none yet" : percent(speed.success_rate)}
                </Figure>
                <Figure label="Tokens in, out">
                  {count(money.input_tokens)}, {count(money.output_tokens)}
                </Figure>
                <Figure label="Typical duration">{milliseconds(speed.median_duration_ms)}</Figure>
                <Figure label="Longest">{milliseconds(speed.longest_duration_ms)}</Figure>
                {modelsOf(money).map(([model, spent]) => (
                  <Figure key={model} label={model}>
                    {usd(spent)}
                  </Figure>
                ))}
              </dl>
            )}
          </Loaded>
        )}
      </Loaded>
    </Card>
  );
}

/** What each model cost, where there is more than one. */
function modelsOf({ cost_usd_by_model: costs }: { cost_usd_by_model: Record<string, number> }) {
  const models = Object.entries(costs);
  return models.length > 1 ? models : [];
}

/** A duration, below a second in milliseconds. */
function milliseconds(ms: number | null): string {
  if (ms === null) return "none yet";
  return ms < 1000 ? `${count(Math.round(ms))} ms` : duration(ms / 1000);
}

const Figure = ({ label, children }: { label: string; children: ReactNode }) => (
  <div className="min-w-0">
    <dt className="text-xs break-words text-muted">{label}</dt>
    <dd className="text-base font-medium tabular-nums">{children}</dd>
  </div>
);

const TONES: Record<Call["status"], Tone> = {
  success: "good",
  failed: "bad",
  rate_limited: "warn",
  timeout: "warn",
};

const HEAD = (
  <>
    <Th>When</Th>
    <Th>For</Th>
    <Th>Outcome</Th>
    <Th>Model</Th>
    <Th right>Attempt</Th>
    <Th right>Took</Th>
    <Th right>Tokens in</Th>
    <Th right>Tokens out</Th>
    <Th right>Cost</Th>
    <Th>Batch</Th>
  </>
);

const CallCells = ({ call }: { call: Call }) => (
  <>
    <Td className="text-muted">
      <Time at={call.created_at} />
    </Td>
    <Td>{call.kind}</Td>
    <Td>
      <Badge tone={TONES[call.status]}>{words(call.status)}</Badge>
      {call.error_message && (
        <span className="block max-w-md text-xs break-words text-bad">{call.error_message}</span>
      )}
    </Td>
    <Td>
      <Link
        from="/generation-log"
        to="/generation-log"
        search={(old) => ({ ...old, model: call.model_used })}
        className="whitespace-nowrap text-muted hover:underline"
      >
        {call.model_used}
      </Link>
    </Td>
    <Td right>{call.retry_attempt + 1}</Td>
    <Td right className="whitespace-nowrap">
      {milliseconds(call.duration_ms)}
    </Td>
    <Td right>{count(call.input_tokens)}</Td>
    <Td right>{count(call.output_tokens)}</Td>
    <Td right>{usd(call.cost_usd)}</Td>
    <Td className="whitespace-nowrap">
      <Link
        to="/batches/$jobId"
        params={{ jobId: call.run_id }}
        className="text-accent hover:underline"
      >
        Open
      </Link>
    </Td>
  </>
);
