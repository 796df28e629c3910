import { day, usd } from "@/ui/format";
import { Table, Td, Th } from "@/ui/Table";

import { type CostKind, type Costs, KIND_WORDS, KINDS } from "./queries";

const COLORS: Record<CostKind, string> = {
  writing: "bg-accent",
  judging: "bg-warn",
  training_compute: "bg-muted",
};
const HEIGHT = 160;

/** What each day cost, as one bar of its kinds, and the same in a table. */
export function CostChart({ costs }: { costs: Costs }) {
  const days = costs.chart_data;
  const most = Math.max(...days.map((one) => one.amount));
  const spent = days.filter((one) => one.amount > 0);
  const label = spent.map((one) => `${day(one.date)}: ${usd(one.amount)}`).join("; ");
  return (
    <figure className="p-4">
      <figcaption className="flex flex-wrap items-center justify-between gap-3 text-xs text-muted">
        <span className="flex flex-wrap gap-4">
          {KINDS.map((kind) => (
            <span key={kind} className="flex items-center gap-1.5">
              <span aria-hidden className={`size-2.5 rounded-sm ${COLORS[kind]}`} />
              {KIND_WORDS[kind]} {usd(costs.cost_by_type[kind] ?? 0)}
            </span>
          ))}
        </span>
        {most > 0 && <span className="tabular-nums">Highest day {usd(most)}</span>}
      </figcaption>
      <div
        role="img"
        aria-label={label ? `Cost by day. ${label}` : "Nothing was spent on these days."}
        className="mt-3 flex items-end gap-px border-b border-line"
        style={{ height: HEIGHT }}
      >
        {most === 0 && <p className="m-auto text-sm text-muted">Nothing was paid on these days.</p>}
        {(most === 0 ? [] : days).map((one) => (
          <div
            key={one.date}
            title={`${day(one.date)}: ${usd(one.amount)}`}
            className="flex h-full min-w-0 flex-1 flex-col justify-end hover:bg-raised"
          >
            {KINDS.map((kind) => (
              <div
                key={kind}
                className={COLORS[kind]}
                style={{ height: ((one.by_type[kind] ?? 0) / most) * HEIGHT }}
              />
            ))}
          </div>
        ))}
      </div>
      <p aria-hidden className="mt-1 flex justify-between text-xs text-muted">
        <span>{day(costs.start_date)}</span>
        <span>{day(costs.end_date)}</span>
      </p>
      {spent.length > 0 && <Days days={spent} />}
    </figure>
  );
}

const Days = ({ days }: { days: Costs["chart_data"] }) => (
  <details className="mt-2 text-sm">
    <summary className="cursor-pointer text-muted">Days with costs</summary>
    <Table
      caption="Cost by day"
      head={
        <>
          <Th>Day</Th>
          {KINDS.map((kind) => (
            <Th key={kind} right>
              {KIND_WORDS[kind]}
            </Th>
          ))}
          <Th right>Together</Th>
        </>
      }
    >
      {days.toReversed().map((one) => (
        <tr key={one.date}>
          <Td className="whitespace-nowrap">{day(one.date)}</Td>
          {KINDS.map((kind) => (
            <Td key={kind} right>
              {usd(one.by_type[kind] ?? 0)}
            </Td>
          ))}
          <Td right>{usd(one.amount)}</Td>
        </tr>
      ))}
    </Table>
  </details>
);
