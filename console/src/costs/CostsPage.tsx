import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Download } from "lucide-react";

import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { Field, Select, TextInput } from "@/ui/Field";
import { Figure, Figures } from "@/ui/Figure";
import { count, day, usd } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { saveBlob } from "@/ui/saveBlob";
import { Empty, Loaded } from "@/ui/states";
import { Table, Td, Th } from "@/ui/Table";

import { BudgetCard } from "./BudgetCard";
import { CostChart } from "./CostChart";
import { costsCsv } from "./csv";
import { type CostRecord, type Costs, costsQuery, KIND_WORDS } from "./queries";
import { type CostSearch, PERIODS } from "./search";

const PERIOD_WORDS: Record<(typeof PERIODS)[number], string> = {
  week: "Last 7 days",
  month: "Last 30 days",
  year: "Last 365 days",
};

/** What writing, judging and training cost, by day, kind and job. */
export function CostsPage() {
  const search = useSearch({ from: "/costs" });
  const navigate = useNavigate({ from: "/costs" });
  const costs = useQuery(costsQuery(search));
  const data = costs.data;
  return (
    <Page
      title="Costs"
      lead="US dollars; days are counted in UTC."
      actions={
        data && (
          <Button
            disabled={data.records.length === 0}
            onClick={() =>
              saveBlob(
                `costs-${data.start_date}-${data.end_date}.csv`,
                new Blob([costsCsv(data.records)], { type: "text/csv;charset=utf-8" }),
              )
            }
          >
            <Download className="size-4" aria-hidden />
            Download CSV
          </Button>
        )
      }
    >
      <BudgetCard />
      <Days
        search={search}
        shown={data}
        onChange={(next) => void navigate({ search: next, replace: true })}
      />
      <Loaded query={costs} rows={12}>
        {(found) => (
          <>
            <Card>
              <div className="p-4 pb-0">
                <Figures>
                  <Figure label="Spent">{usd(found.total_cost)}</Figure>
                  <Figure
                    label="Simulated"
                    note="What simulated answers would have cost; nobody paid it."
                  >
                    {usd(found.simulated_cost)}
                  </Figure>
                </Figures>
              </div>
              <CostChart costs={found} />
            </Card>
            <Records costs={found} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** A period that ends today, or days of one's own. */
function Days({
  search,
  shown,
  onChange,
}: {
  search: CostSearch;
  shown: Costs | undefined;
  onChange: (search: CostSearch) => void;
}) {
  const isOwn = search.from !== undefined || search.to !== undefined;
  const today = new Date().toISOString().slice(0, 10);
  const from = search.from ?? shown?.start_date ?? today;
  const to = search.to ?? shown?.end_date ?? today;
  return (
    <div className="flex flex-wrap items-end gap-3">
      <Field label="Period">
        <Select
          value={isOwn ? "own" : (search.period ?? "month")}
          onChange={({ target }) =>
            onChange(
              target.value === "own"
                ? { from, to }
                : { period: target.value as (typeof PERIODS)[number] },
            )
          }
        >
          {PERIODS.map((one) => (
            <option key={one} value={one}>
              {PERIOD_WORDS[one]}
            </option>
          ))}
          <option value="own">Days of your own</option>
        </Select>
      </Field>
      {isOwn && (
        <>
          <Field label="From">
            <TextInput
              type="date"
              value={from}
              max={to}
              onChange={({ target }) => onChange({ from: target.value || undefined, to })}
            />
          </Field>
          <Field label="To">
            <TextInput
              type="date"
              value={to}
              min={from}
              onChange={({ target }) => onChange({ from, to: target.value || undefined })}
            />
          </Field>
        </>
      )}
    </div>
  );
}

function Records({ costs }: { costs: Costs }) {
  const { records, record_count: all } = costs;
  return (
    <Card title="By job and day">
      {records.length === 0 ? (
        <Empty title="Nothing was spent on these days">
          <p className="text-muted">
            Batches, judgements and trainings appear with what they cost.
          </p>
        </Empty>
      ) : (
        <Table
          caption="Costs by job and day"
          head={
            <>
              <Th>Day</Th>
              <Th>Kind</Th>
              <Th>Job</Th>
              <Th>What with</Th>
              <Th right>Amount</Th>
            </>
          }
        >
          {records.map((record) => (
            <tr key={record.id} className="hover:bg-raised">
              <Td className="whitespace-nowrap text-muted">{day(record.billing_period)}</Td>
              <Td>{KIND_WORDS[record.cost_type]}</Td>
              <Td className="font-medium">
                <JobLink record={record} />
              </Td>
              <Td className="whitespace-nowrap text-muted">
                {String(record.details.model ?? record.details.instance_type ?? "")}
              </Td>
              <Td right className="whitespace-nowrap">
                {record.simulated && <Badge>simulated</Badge>} {usd(record.amount)}
              </Td>
            </tr>
          ))}
        </Table>
      )}
      {all > records.length && (
        <p className="border-t border-line px-4 py-2 text-xs text-muted">
          The newest {count(records.length)} of {count(all)} are shown and in the CSV; the sums
          count all. Choose fewer days for the rest.
        </p>
      )}
    </Card>
  );
}

function JobLink({ record }: { record: CostRecord }) {
  const name = String(record.details.job_name ?? record.job_id);
  return record.cost_type === "training_compute" ? (
    <Link to="/training/jobs/$jobId" params={{ jobId: record.job_id }} className="hover:underline">
      {name}
    </Link>
  ) : (
    <Link to="/batches/$jobId" params={{ jobId: record.job_id }} className="hover:underline">
      {name}
    </Link>
  );
}
