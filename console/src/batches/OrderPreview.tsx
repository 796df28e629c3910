import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import type { components } from "@/api/schema";
import { Button } from "@/ui/Button";
import { count, counted, duration, percent, usd } from "@/ui/format";
import { Card } from "@/ui/Page";

export type BatchPreview = components["schemas"]["BatchPreviewResponse"];

/** What an order costs and takes and what that is made of; what is missing, and what does not fit. */
export function OrderPreview({
  preview,
  isSettled,
  onShowPrompt,
}: {
  /** Undefined while nothing is chosen. */
  preview: Pick<UseQueryResult<BatchPreview>, "data" | "error" | "isFetching"> | undefined;
  isSettled: boolean;
  onShowPrompt: () => void;
}) {
  const isStale = preview?.isFetching || !isSettled;
  return (
    <Card title="Price and time">
      <div className="flex flex-col gap-4 p-4" aria-live="polite" aria-busy={isStale}>
        {preview === undefined ? (
          <p className="text-sm text-muted">
            Choose at least one persona, one arc and one topic to see the price.
          </p>
        ) : preview.error ? (
          <p role="alert" className="text-sm text-bad">
            {preview.error.message}
          </p>
        ) : preview.data ? (
          <div className={`flex flex-col gap-4 ${isStale ? "opacity-60" : ""}`}>
            <Figures preview={preview.data} />
            <Problems preview={preview.data} />
            <Warnings preview={preview.data} />
            {preview.data.totalItems > 0 && (
              <Button className="self-start" onClick={onShowPrompt}>
                Read a prompt
              </Button>
            )}
          </div>
        ) : (
          <div
            className="h-40 animate-pulse rounded bg-raised"
            role="status"
            aria-label="Loading"
          />
        )}
      </div>
    </Card>
  );
}

function Figures({ preview }: { preview: BatchPreview }) {
  const { estimatedCost: cost, estimatedTime: time, totalItems } = preview;
  return (
    <>
      <dl className="grid grid-cols-2 gap-4 text-sm">
        <Figure label="Price" worst={usd(cost.p90)}>
          {usd(cost.p50)}
        </Figure>
        <Figure label="Time" worst={duration(time.p90)}>
          {duration(time.p50)}
        </Figure>
      </dl>
      <p className="text-xs leading-5 text-muted">
        {counted(totalItems, "conversation")} of {counted(preview.personas, "persona")},{" "}
        {counted(preview.emotionalArcs, "arc")} and {counted(preview.trainingTopics, "topic")}, by{" "}
        {counted(preview.templates, "template")}
        {totalItems > 0 && `, each about ${usd(cost.p50 / totalItems)}`}, written by {preview.model}
        . Nine of ten batches stay within p90.
      </p>
      <p className="text-xs leading-5 text-muted">{basisOf(preview)}</p>
      {preview.deadline && (
        <p className="text-xs leading-5 text-muted">{preview.deadline.reason}</p>
      )}
      {preview.deadline?.notice && <p className="text-sm text-warn">{preview.deadline.notice}</p>}
      {preview.modelNotice && <p className="text-sm text-warn">{preview.modelNotice}</p>}
      {preview.repetitionNotice && <p className="text-sm text-warn">{preview.repetitionNotice}</p>}
    </>
  );
}

/** What the price is based on, and how wrong such quotes were until now. */
function basisOf({ estimatedCost: quote, pastQuotes }: BatchPreview): string {
  const basis =
    quote.source === "own_batches"
      ? `Quoted by ${counted(quote.conversations, "conversation")} of ${counted(quote.batches, "batch", "batches")} of yours.`
      : "Quoted by a typical conversation, since too few of yours are known.";
  const past = pastQuotes.find((one) => one.source === quote.source);
  if (past === undefined) return basis;
  return `${basis} ${counted(past.batches, "such quote was", "such quotes were")} ${percent(past.cost_mape)} off.`;
}

const Figure = ({
  label,
  worst,
  children,
}: {
  label: string;
  worst: string;
  children: ReactNode;
}) => (
  <div>
    <dt className="text-xs text-muted">{label}</dt>
    <dd className="text-xl font-semibold tabular-nums">{children}</dd>
    <dd className="text-xs text-muted tabular-nums">up to {worst} (p90)</dd>
  </div>
);

function Problems({ preview }: { preview: BatchPreview }) {
  if (preview.problemCount === 0) return null;
  return (
    <div className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
      <p className="font-medium">
        {counted(preview.problemCount, "thing is", "things are")} missing, so it cannot be ordered:
      </p>
      <ul className="mt-1 list-disc pl-5">
        {preview.problems.map((problem) => (
          <li key={`${problem.field} ${problem.message}`} className="break-words">
            {problem.message}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Warnings({ preview }: { preview: BatchPreview }) {
  if (preview.warnings.length === 0) return null;
  const unfit = counted(
    preview.incompatibleItems,
    "conversation combines",
    "conversations combine",
  );
  return (
    <details
      className={`rounded-md px-3 py-2 text-sm ${preview.incompatibleItems > 0 ? "bg-warn-soft text-warn" : "bg-raised text-muted"}`}
    >
      <summary className="cursor-pointer font-medium">
        {preview.incompatibleItems > 0
          ? `${unfit} what does not fit well`
          : `${counted(preview.warnings.length, "hint")} about what fits`}
      </summary>
      <p className="mt-2 text-xs">They can be written all the same.</p>
      <ul
        className="mt-1 flex max-h-48 list-disc flex-col gap-1 overflow-auto pl-5 text-xs"
        tabIndex={0}
      >
        {preview.warnings.map(({ warning, conversations }) => (
          <li key={warning} className="break-words">
            {warning} ({count(conversations)})
          </li>
        ))}
      </ul>
    </details>
  );
}
