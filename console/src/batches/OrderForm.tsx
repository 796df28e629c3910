import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { missingGroup } from "@/session/groups";
import { Button } from "@/ui/Button";
import { Field, Select, TextInput } from "@/ui/Field";
import { count, localMinute, usd, words } from "@/ui/format";
import { Card } from "@/ui/Page";
import { toast } from "@/ui/toast";

import { type BatchOrder, SAMPLE_SIZE, sampleOf } from "./order";
import type { BatchPreview } from "./OrderPreview";
import { useOrderBatch } from "./queries";
import {
  canReuse,
  LANES,
  LANGUAGES,
  MOST_CALLS,
  type NewBatchSearch,
  ON_ERROR,
  PRIORITIES,
  USUAL_CALLS,
} from "./search";

const NAMES = new Intl.DisplayNames(["en"], { type: "language" });

const ON_ERROR_WORDS = {
  continue: "Go on with the others",
  stop: "Stop the batch",
} as const;

/** How the batch is written, and the buttons that order it: two first, or all. */
export function OrderForm({
  search,
  order,
  preview,
  isRest,
  onChange,
}: {
  search: NewBatchSearch;
  /** Null while it cannot be ordered. */
  order: BatchOrder | null;
  preview: BatchPreview | undefined;
  /** A sample was written, and this orders what it left. */
  isRest: boolean;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) {
  const navigate = useNavigate();
  const { mutateAsync, isPending, error } = useOrderBatch();
  // What goes wrong is shown from `error`.
  const send = (order: BatchOrder) => mutateAsync(order).catch(() => undefined);
  const total = preview?.totalItems ?? 0;
  const barred = missingGroup("writers");
  const isComplete = order !== null && total > 0 && preview?.problemCount === 0;
  const canOrder = isComplete && !isPending && barred === null;
  const orderAll = async () => {
    const accepted = order && (await send(order));
    if (!accepted) return;
    toast(accepted.message);
    void navigate({ to: "/batches/$jobId", params: { jobId: accepted.jobId } });
  };
  const orderSample = async () => {
    const accepted = order && (await send(sampleOf(order)));
    if (accepted) onChange({ sample: accepted.jobId });
  };
  return (
    <Card title="Order">
      <form
        className="flex flex-col gap-4 p-4"
        onSubmit={(event) => {
          event.preventDefault();
          void orderAll();
        }}
      >
        <Lane search={search} preview={preview} onChange={onChange} />
        <DoneBy search={search} onChange={onChange} />
        <Reuse search={search} onChange={onChange} />
        <Settings search={search} onChange={onChange} />
        {error && (
          <p role="alert" className="rounded-md bg-bad-soft px-3 py-2 text-sm text-bad">
            {error.message}
          </p>
        )}
        {barred && <p className="text-sm text-muted">{barred}</p>}
        {!isRest && total > SAMPLE_SIZE && (
          <Button disabled={!canOrder} onClick={() => void orderSample()}>
            Write a sample of {SAMPLE_SIZE} first
          </Button>
        )}
        <Button kind="primary" type="submit" disabled={!canOrder}>
          {isRest ? "Write the other" : "Write"} {total > 0 ? count(total) : ""}
        </Button>
      </form>
    </Card>
  );
}

const LANE_WORDS = { realtime: "Now", economy: "Economy, in Message Batches" } as const;

/** The lane of an order, each with its price: the calls by themselves, or at half the price. */
function Lane({
  search,
  preview,
  onChange,
}: {
  search: NewBatchSearch;
  preview: BatchPreview | undefined;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) {
  const quotes = new Map(preview?.lanes.map((quote) => [quote.lane, quote]));
  const unavailable = quotes.get("economy")?.unavailable;
  return (
    <Field
      label="Lane"
      hint={unavailable ?? "Economy is half the price; most end within an hour, all within a day."}
    >
      <Select
        value={search.doneBy ? preview?.lane : (search.lane ?? "realtime")}
        disabled={search.doneBy !== undefined}
        onChange={(event) => onChange({ lane: event.target.value as NewBatchSearch["lane"] })}
      >
        {LANES.map((lane) => {
          const quote = quotes.get(lane);
          const price = quote ? `: about ${usd(quote.estimatedCost.p50)}` : "";
          return (
            <option key={lane} value={lane} disabled={Boolean(quote?.unavailable)}>
              {LANE_WORDS[lane] + price}
            </option>
          );
        })}
      </Select>
    </Field>
  );
}

/** When the batch is to be done, in the browser's time zone; the lane follows from it. */
function DoneBy({
  search,
  onChange,
}: {
  search: NewBatchSearch;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) {
  return (
    <Field label="Done by" hint="Instead of a lane: economy as far as the time allows.">
      <TextInput
        type="datetime-local"
        value={search.doneBy ? localMinute(search.doneBy) : ""}
        onChange={({ target }) =>
          onChange({ doneBy: target.value ? new Date(target.value).toISOString() : undefined })
        }
      />
    </Field>
  );
}

/** Whether answers that the reader has paid for are taken again. */
const Reuse = ({
  search,
  onChange,
}: {
  search: NewBatchSearch;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) => (
  <label className="flex flex-col gap-1 text-sm font-medium">
    <span className="flex items-center gap-2">
      <input
        type="checkbox"
        className="size-4 accent-accent"
        disabled={!canReuse(search)}
        checked={search.reuse === true && canReuse(search)}
        onChange={({ target }) => onChange({ reuse: target.checked || undefined })}
      />
      Reuse earlier answers
    </span>
    <span className="text-xs font-normal text-muted">
      {canReuse(search)
        ? "Those of the last 30 days to exactly the same request, at $0."
        : "In the realtime lane only."}
    </span>
  </label>
);

function Settings({
  search,
  onChange,
}: {
  search: NewBatchSearch;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) {
  // Typed here and put into the address afterwards: browsers limit how often that changes.
  const [name, setName] = useState(search.name ?? "");
  const keep = () => onChange({ name: name.trim() || undefined });
  return (
    <>
      <Field label="Name">
        <TextInput
          maxLength={200}
          placeholder="Batch"
          value={name}
          onChange={(event) => setName(event.target.value)}
          onBlur={keep}
          onKeyDown={(event) => event.key === "Enter" && keep()}
        />
      </Field>
      <div className="grid grid-cols-2 gap-3">
        <Field label="Priority">
          <Select
            value={search.priority ?? "normal"}
            onChange={(event) =>
              onChange({ priority: event.target.value as NewBatchSearch["priority"] })
            }
          >
            {PRIORITIES.map((one) => (
              <option key={one} value={one}>
                {words(one)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label="Calls at once" hint="Fewer while Claude refuses some.">
          <TextInput
            type="number"
            min={1}
            max={MOST_CALLS}
            step={1}
            placeholder={String(USUAL_CALLS)}
            value={search.calls ?? ""}
            onChange={(event) =>
              onChange({ calls: event.target.value ? event.target.valueAsNumber : undefined })
            }
          />
        </Field>
      </div>
      <Field
        label="Spending cap in US dollars"
        hint="The batch stops before it; raise it to write the rest."
      >
        <TextInput
          type="number"
          min={0.01}
          step="any"
          placeholder="No cap"
          value={search.cap ?? ""}
          onChange={(event) =>
            onChange({ cap: event.target.value ? event.target.valueAsNumber : undefined })
          }
        />
      </Field>
      <Field label="Language" hint="Scores say what they cannot judge outside English.">
        <Select
          value={search.language ?? "en"}
          onChange={({ target }) =>
            onChange({ language: target.value === "en" ? undefined : target.value })
          }
        >
          {["en", ...LANGUAGES].map((one) => (
            <option key={one} value={one}>
              {NAMES.of(one)}
            </option>
          ))}
        </Select>
      </Field>
      <Field label="If one fails">
        <Select
          value={search.onError ?? "continue"}
          onChange={(event) =>
            onChange({ onError: event.target.value as NewBatchSearch["onError"] })
          }
        >
          {ON_ERROR.map((one) => (
            <option key={one} value={one}>
              {ON_ERROR_WORDS[one]}
            </option>
          ))}
        </Select>
      </Field>
    </>
  );
}
