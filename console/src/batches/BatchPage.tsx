import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { GroupButton } from "@/session/GroupButton";
import { Button, buttonClass } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { ChoiceFilter } from "@/ui/Filter";
import { count, duration, percent, relative, usd, words } from "@/ui/format";
import { List } from "@/ui/List";
import { Card, Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toastError } from "@/ui/toast";

import {
  type BatchItem,
  type BatchStatus,
  batchItemsQuery,
  batchLogQuery,
  batchStatusQuery,
  isActive,
  type ItemStatus,
  useBatchAction,
} from "./queries";
import { StateBar } from "./StateBar";
import { StatusBadge } from "./status";

const ITEM_STATUSES: ItemStatus[] = ["queued", "processing", "completed", "failed", "cancelled"];

/** One batch while it runs and after: progress, spend, items with their errors, log, controls. */
export function BatchPage() {
  const { jobId } = useParams({ from: "/batches/$jobId" });
  const status = useQuery(batchStatusQuery(jobId));
  return (
    <Loaded query={status}>
      {(batch) => (
        <Page
          title={batch.name}
          lead={
            <span className="flex flex-wrap items-center gap-2">
              <StatusBadge status={batch.status} line={batch.status_line} />
              {!isActive(batch.status) && <span>{batch.status_line}</span>}
              {batch.simulated && <span>Simulated: nothing is charged.</span>}
              {batch.stoppedReason && <span className="text-bad">{batch.stoppedReason}</span>}
            </span>
          }
          actions={<Controls batch={batch} />}
        >
          <Summary batch={batch} />
          <Items jobId={jobId} active={isActive(batch.status)} />
          <Log jobId={jobId} active={isActive(batch.status)} />
        </Page>
      )}
    </Loaded>
  );
}

function Controls({ batch }: { batch: BatchStatus }) {
  const [confirming, setConfirming] = useState(false);
  const [raising, setRaising] = useState(false);
  const action = useBatchAction(batch.jobId);
  const act = (name: Parameters<typeof action.mutate>[0]) =>
    action.mutate(name, { onError: toastError });
  const isPaused = batch.status === "paused";
  const canRetry = batch.progress.failed > 0 && !isActive(batch.status);
  const { total, successful, failed } = batch.progress;
  const isCapped = batch.max_cost_usd !== null && (isPaused || batch.status === "completed");
  const canRaiseCap = isCapped && successful + failed < total;
  return (
    <>
      {batch.progress.successful > 0 && (
        <Link
          to="/conversations"
          search={{ batch: batch.jobId }}
          className={buttonClass("primary")}
        >
          Review conversations
        </Link>
      )}
      {canRetry && (
        <GroupButton needs="writers" disabled={action.isPending} onClick={() => act("retry")}>
          Retry {count(batch.progress.failed)} failed
        </GroupButton>
      )}
      {isActive(batch.status) && (
        <GroupButton needs="writers" disabled={action.isPending} onClick={() => act("pause")}>
          Pause
        </GroupButton>
      )}
      {isPaused && (
        <GroupButton needs="writers" disabled={action.isPending} onClick={() => act("resume")}>
          Resume
        </GroupButton>
      )}
      {canRaiseCap && (
        <GroupButton needs="writers" disabled={action.isPending} onClick={() => setRaising(true)}>
          Raise the cap
        </GroupButton>
      )}
      {raising && batch.max_cost_usd !== null && (
        <RaiseCap
          cap={batch.max_cost_usd}
          onClose={() => setRaising(false)}
          onRaise={(cap) => {
            setRaising(false);
            act({ cap });
          }}
        />
      )}
      {(isActive(batch.status) || isPaused) && (
        <Button kind="danger" disabled={action.isPending} onClick={() => setConfirming(true)}>
          Cancel
        </Button>
      )}
      {confirming && (
        <Dialog
          onClose={() => setConfirming(false)}
          title="Cancel this batch?"
          description="Conversations that are written stay. Calls under way are finished and paid for; the rest is not written."
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setConfirming(false)}>Go on writing</Button>
            <Button
              kind="danger"
              onClick={() => {
                setConfirming(false);
                act("cancel");
              }}
            >
              Cancel the batch
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Asks for a higher cap; the batch goes on with what remained of it. */
function RaiseCap({
  cap,
  onClose,
  onRaise,
}: {
  cap: number;
  onClose: () => void;
  onRaise: (cap: number) => void;
}) {
  const [raised, setRaised] = useState(2 * cap);
  return (
    <Dialog
      onClose={onClose}
      title="Raise the cap and resume?"
      description="The batch goes on with what remained of it, and may spend so much in all."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          onRaise(raised);
        }}
      >
        <Field label="Spending cap in US dollars">
          <TextInput
            type="number"
            min={cap}
            step="any"
            required
            value={Number.isNaN(raised) ? "" : raised}
            onChange={(event) => setRaised(event.target.valueAsNumber)}
          />
        </Field>
        <Button kind="primary" type="submit">
          Raise and resume
        </Button>
      </form>
    </Dialog>
  );
}

function Summary({ batch }: { batch: BatchStatus }) {
  const { progress } = batch;
  return (
    <Card className="flex flex-col gap-4 p-4">
      <StateBar
        successful={progress.successful}
        failed={progress.failed}
        cancelled={progress.cancelled}
        total={progress.total}
      />
      <dl className="grid grid-cols-2 gap-4 text-sm sm:grid-cols-4">
        <Figure label={batch.completedAt ? "Took" : "Time left"}>{timeOf(batch)}</Figure>
        <Figure label="Spent on Claude">{spentOf(batch)}</Figure>
        {batch.quote && (
          <Figure label="Quoted, up to (p90)">
            {usd(batch.quote.p50)}, {usd(batch.quote.p90)}
            {batch.quote_error !== null &&
              ` (cost ${batch.quote_error < 0 ? "" : "+"}${percent(batch.quote_error)})`}
          </Figure>
        )}
        {batch.done_by && (
          <Figure label="To be done">
            <Time at={batch.done_by} /> {laneOf(batch)}
          </Figure>
        )}
        <Figure label="Tokens in, out">
          {count(batch.input_tokens)}, {count(batch.output_tokens)}
        </Figure>
        {batch.prompt_cache.hit_rate !== null && (
          <Figure label="Read from the prompt cache">{cachedOf(batch.prompt_cache)}</Figure>
        )}
        <Figure label={batch.completedAt ? "Ended" : "Started"}>
          {batch.completedAt || batch.startedAt ? (
            <Time at={(batch.completedAt ?? batch.startedAt) as string} />
          ) : (
            "not yet"
          )}
        </Figure>
      </dl>
      {batch.prompt_cache.notice && (
        <p className="text-sm text-muted">{batch.prompt_cache.notice}</p>
      )}
    </Card>
  );
}

/** The share of what prompts have in common that was read from the cache, and what that saved. */
function cachedOf({ hit_rate, saved_usd }: BatchStatus["prompt_cache"]): string {
  const saved = saved_usd < 0 ? `${usd(-saved_usd)} more than without` : `${usd(saved_usd)} saved`;
  return `${percent(hit_rate ?? 0)}, ${saved}`;
}

/** Of a batch with a deadline: whether it was met, or the lane that it is in and until when. */
function laneOf({ lane, switch_at, was_on_time }: BatchStatus): string {
  if (was_on_time !== null) return was_on_time ? "(in time)" : "(not in time)";
  const isFirst = lane === "economy" && switch_at !== null;
  return isFirst ? `(economy, realtime ${relative(switch_at)})` : `(${lane})`;
}

/** What was spent, against the cap, and what calls under way may add to it. */
function spentOf({ cost_usd, max_cost_usd, reserved_cost_usd }: BatchStatus): string {
  if (max_cost_usd === null) return usd(cost_usd);
  const reserved = reserved_cost_usd > 0 ? ` (${usd(reserved_cost_usd)} reserved)` : "";
  return `${usd(cost_usd)} of at most ${usd(max_cost_usd)}${reserved}`;
}

/** How long the batch took, or will go on. */
function timeOf({ startedAt, completedAt, estimatedTimeRemaining }: BatchStatus): string {
  if (startedAt && completedAt) {
    return duration((Date.parse(completedAt) - Date.parse(startedAt)) / 1000);
  }
  return estimatedTimeRemaining === null ? "unknown" : duration(estimatedTimeRemaining);
}

const Figure = ({ label, children }: { label: string; children: React.ReactNode }) => (
  <div>
    <dt className="text-xs text-muted">{label}</dt>
    <dd className="text-base font-medium tabular-nums">{children}</dd>
  </div>
);

function Items({ jobId, active }: { jobId: string; active: boolean }) {
  const [status, setStatus] = useState<ItemStatus | undefined>();
  return (
    <section aria-label="Items" className="flex flex-col gap-3">
      <div className="flex items-center justify-between">
        <h2 className="text-sm font-semibold">Items</h2>
        <ChoiceFilter
          label="Status of the items"
          any="All"
          choices={ITEM_STATUSES}
          value={status}
          onChange={setStatus}
        />
      </div>
      <List
        query={useInfiniteQuery(batchItemsQuery(jobId, status, active))}
        caption="Items of the batch"
        head={
          <>
            <Th right>#</Th>
            <Th>Persona</Th>
            <Th>Arc</Th>
            <Th>Topic</Th>
            <Th>Status</Th>
            <Th right>Cost</Th>
            <Th>Conversation or error</Th>
          </>
        }
        row={(item) => <ItemCells jobId={jobId} item={item} />}
        onShowAll={status && (() => setStatus(undefined))}
        none={<Empty title="There is nothing to write" />}
      />
    </section>
  );
}

const ItemCells = ({ jobId, item }: { jobId: string; item: BatchItem }) => (
  <>
    <Td right className="text-muted">
      {item.position}
    </Td>
    <Td>{words(item.persona_key)}</Td>
    <Td>{words(item.emotional_arc_key)}</Td>
    <Td>{words(item.training_topic_key)}</Td>
    <Td>
      <StatusBadge status={item.status} />
    </Td>
    <Td right>{usd(item.cost_usd)}</Td>
    <Td>
      {item.conversation_id && item.status === "completed" ? (
        <Link
          to="/conversations/$conversationId"
          params={{ conversationId: item.conversation_id }}
          search={{ batch: jobId }}
          className="text-accent hover:underline"
        >
          Read
        </Link>
      ) : (
        <span className="text-bad">{item.error_message}</span>
      )}
    </Td>
  </>
);

/** The newest lines at most; the command line shows a whole log. */
const MOST_LINES = 2_000;

function Log({ jobId, active }: { jobId: string; active: boolean }) {
  const log = useQuery(batchLogQuery(jobId, active));
  return (
    <Card title="Log">
      <Loaded query={log}>
        {(lines) => (
          <pre
            tabIndex={0}
            aria-label="Log of the batch"
            className="max-h-72 overflow-auto p-4 text-xs leading-5 break-words whitespace-pre-wrap"
          >
            {lines.length > MOST_LINES &&
              `${count(lines.length - MOST_LINES)} lines before these.\n`}
            {lines.slice(-MOST_LINES).join("\n") || "Nothing yet."}
          </pre>
        )}
      </Loaded>
    </Card>
  );
}
