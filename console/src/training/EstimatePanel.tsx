import { missingGroup } from "@/session/groups";
import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { count, duration, usd, words } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Failure, Skeleton } from "@/ui/states";
import { Table, Td, Th } from "@/ui/Table";

import { type Draft, withSettings } from "./draft";
import type { Ordering } from "./NewTrainingPage";
import type { Choices, Estimate } from "./queries";
import type { EstimateState } from "./useEstimate";

/** What the order costs, takes and is made of, what would be better, and the button that orders. */
export function EstimatePanel({
  draft,
  choices,
  estimate,
  onUse,
  ordering,
  onOrder,
  hint,
}: {
  draft: Draft;
  choices: Choices;
  estimate: EstimateState;
  onUse: (draft: Draft) => void;
  ordering: Ordering;
  onOrder: () => void;
  hint: string | null;
}) {
  const { data, error, isStale } = estimate;
  const blocked =
    missingGroup("trainers") ??
    hint ??
    (data && !data.trainable ? "This order cannot be trained." : null);
  return (
    <Card title="Estimate" className="lg:sticky lg:top-4">
      <div className="min-h-80" aria-busy={isStale}>
        {data ? (
          <Figures draft={draft} choices={choices} found={data} onUse={onUse} />
        ) : error ? (
          <Failure error={error} retry={() => void estimate.refetch()} />
        ) : (
          <Skeleton />
        )}
      </div>
      <div className="flex flex-col gap-2 border-t border-line p-4">
        <Button
          kind="primary"
          onClick={onOrder}
          disabled={blocked !== null || ordering.isPending}
          aria-describedby="order-hint"
        >
          {ordering.isPending ? "Ordering…" : "Start training"}
        </Button>
        <p id="order-hint" className="min-h-4 text-xs text-muted">
          {blocked ??
            (draft.cap === null ? "Without a spending cap." : `At most ${usd(draft.cap)}.`)}
        </p>
        {ordering.error && (
          <p role="alert" className="text-sm text-bad">
            {ordering.error.message}
          </p>
        )}
      </div>
    </Card>
  );
}

function Figures({
  draft,
  choices,
  found,
  onUse,
}: {
  draft: Draft;
  choices: Choices;
  found: Estimate;
  onUse: (draft: Draft) => void;
}) {
  const { billing, memory, training_details: steps } = found;
  const reasons = new Set(found.not_trainable_because);
  return (
    <div className="flex flex-col gap-4 p-4 text-sm">
      <div role="status">
        <p className="text-2xl font-semibold tabular-nums">
          {found.cost_usd ? usd(found.cost_usd.p50) : "Does not fit"}
        </p>
        {found.cost_usd && found.seconds && (
          <p className="text-muted tabular-nums">
            {duration(found.seconds.p50)}. 9 of 10 such jobs cost at most {usd(found.cost_usd.p90)}{" "}
            and take at most {duration(found.seconds.p90)}.
          </p>
        )}
        {[...reasons].map((reason) => (
          <p key={reason} className="mt-2 rounded-md bg-bad-soft p-3 text-bad">
            {reason}
          </p>
        ))}
      </div>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1">
        <dt className="text-muted">Memory</dt>
        <dd className="text-right">
          <Badge tone={memory.fits ? "good" : "bad"}>{memory.fits ? "fits" : "does not fit"}</Badge>
        </dd>
        <dt className="text-muted">Steps</dt>
        <dd className="text-right tabular-nums" data-testid="steps">
          {count(steps.total_steps)}
        </dd>
        <dt className="text-muted">Billed</dt>
        <dd className="text-right break-words">
          {billing.instances} × {billing.instance_type}, {usd(billing.usd_per_hour)} an hour
        </dd>
      </dl>
      {found.phases.length > 0 && <Phases found={found} />}
      {found.alternatives.length > 0 && (
        <div>
          <h3 className="font-medium">Instead</h3>
          <ul className="mt-1 flex flex-col divide-y divide-line">
            {found.alternatives.map((one) => (
              <li key={one.change} className="flex items-center justify-between gap-3 py-2">
                <span className="min-w-0">
                  <span className="block break-words">{one.change}</span>
                  <span className="block text-xs text-muted tabular-nums">
                    {usd(one.cost_usd)}, {duration(one.seconds)}
                    {one.note && `; ${one.note}`}
                  </span>
                </span>
                <Button
                  aria-label={`Use ${one.change}`}
                  onClick={() => onUse(withSettings(draft, one.settings))}
                >
                  Use
                </Button>
              </li>
            ))}
          </ul>
        </div>
      )}
      <Remarks
        sentences={[...found.warnings, ...found.assumptions].filter((one) => !reasons.has(one))}
      />
      <p className="text-xs text-muted">
        On demand, prices of {choices.price_date} in {choices.price_region}, before tax.
      </p>
    </div>
  );
}

const Phases = ({ found }: { found: Estimate }) => (
  <details>
    <summary className="cursor-pointer text-muted">What the time is made of</summary>
    <Table
      caption="Phases"
      head={
        <>
          <Th>Phase</Th>
          <Th right>Usual</Th>
          <Th right>9 of 10</Th>
        </>
      }
    >
      {found.phases.map((phase) => (
        <tr key={phase.name}>
          <Td>
            {words(phase.name)}
            {!phase.billed && <span className="text-muted"> (free)</span>}
          </Td>
          <Td right>{duration(phase.seconds.p50)}</Td>
          <Td right>{duration(phase.seconds.p90)}</Td>
        </tr>
      ))}
    </Table>
  </details>
);

const Remarks = ({ sentences }: { sentences: string[] }) =>
  sentences.length > 0 && (
    <ul className="flex list-disc flex-col gap-1 pl-4 text-xs text-muted">
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  );
