import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { Badge, type Tone } from "@/ui/Badge";
import { Button, buttonClass } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Facts, Figure, Figures } from "@/ui/Figure";
import { duration, label, significant, usd, words } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { Empty, Loaded } from "@/ui/states";
import { Time } from "@/ui/Time";
import { toastError } from "@/ui/toast";

import {
  canCancel,
  eventsQuery,
  isActive,
  jobQuery,
  type TrainingEvent,
  type TrainingJob,
  useCancelTraining,
} from "./queries";
import { JobStatusBadge, Progress } from "./status";
import { TrainingCurves } from "./TrainingCurves";

/** One training while it runs and after: stage, progress, cost, curves, events, cancel. */
export function TrainingJobPage() {
  const { jobId } = useParams({ from: "/training/jobs/$jobId" });
  const query = useQuery(jobQuery(jobId));
  return (
    <Loaded query={query}>
      {(job) => (
        <Page
          title={job.name}
          lead={
            <span className="flex flex-wrap items-center gap-2">
              <JobStatusBadge status={job.status} />
              <span>{stage(job)}</span>
            </span>
          }
          actions={<Actions job={job} />}
        >
          <Outcome job={job} />
          <Summary job={job} />
          <TrainingCurves jobId={jobId} active={isActive(job)} />
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <Events jobId={jobId} active={isActive(job)} />
            <Configuration job={job} />
          </div>
        </Page>
      )}
    </Loaded>
  );
}

/** What happens now; a job that has ended says since when. */
function stage(job: TrainingJob) {
  if (job.completed_at && job.settled) {
    return (
      <>
        Ended <Time at={job.completed_at} />
      </>
    );
  }
  const reason = job.stage_reason ? `: ${job.stage_reason}` : "";
  return `${words(job.current_stage)}${reason}`;
}

function Actions({ job }: { job: TrainingJob }) {
  const [confirming, setConfirming] = useState(false);
  const cancel = useCancelTraining(job.id);
  return (
    <>
      {job.model_id && (
        <Link
          to="/models/$modelId"
          params={{ modelId: job.model_id }}
          className={buttonClass("primary")}
        >
          See the model
        </Link>
      )}
      {canCancel(job) && (
        <Button kind="danger" disabled={cancel.isPending} onClick={() => setConfirming(true)}>
          Cancel
        </Button>
      )}
      {confirming && (
        <Dialog
          onClose={() => setConfirming(false)}
          title="Cancel this training?"
          description="It ends without an adapter. What was computed until then is paid for."
        >
          <div className="flex justify-end gap-2">
            <Button onClick={() => setConfirming(false)}>Go on training</Button>
            <Button
              kind="danger"
              onClick={() => {
                setConfirming(false);
                cancel.mutate(undefined, { onError: toastError });
              }}
            >
              Cancel the training
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

const OUTCOMES: Record<string, string> = {
  better: "bg-good-soft text-good",
  worse: "bg-bad-soft text-bad",
};

/** What went wrong and what to do, or whether it was worth it. */
function Outcome({ job }: { job: TrainingJob }) {
  if (job.error_message) {
    return (
      <div role="alert" className="rounded-lg bg-bad-soft p-4 text-sm text-bad">
        <p className="font-medium">{job.error_message}</p>
        {job.error_hint && <p className="mt-1">{job.error_hint}</p>}
      </div>
    );
  }
  const verdict = job.results.verdict as { headline?: string; outcome?: string } | undefined;
  if (!verdict?.headline) return null;
  const tone = OUTCOMES[verdict.outcome ?? ""] ?? "bg-surface text-ink";
  return <p className={`rounded-lg border border-line p-4 text-sm ${tone}`}>{verdict.headline}</p>;
}

function Summary({ job }: { job: TrainingJob }) {
  const loss = job.current_metrics.training_loss as number | undefined;
  const validation = job.current_metrics.validation_loss as number | undefined;
  return (
    <Card className="flex flex-col gap-4 p-4">
      <Progress job={job} />
      <Figures>
        <Figure
          label={job.final_cost === null ? "Cost so far" : "Cost"}
          note={
            `estimated ${usd(job.estimated_total_cost)}` +
            (job.max_cost_usd === null ? ", no cap" : `, cap ${usd(job.max_cost_usd)}`)
          }
        >
          {usd(job.final_cost ?? job.current_cost)}
        </Figure>
        <Figure label={job.completed_at ? "Took" : "Time left"} note={started(job)}>
          {timeOf(job)}
        </Figure>
        <Figure
          label="Epoch"
          note={job.stopped_reason ? `stopped: ${words(job.stopped_reason)}` : undefined}
        >
          {significant(job.current_epoch)} of {job.total_epochs}
        </Figure>
        <Figure
          label="Loss"
          note={validation === undefined ? undefined : `held out ${significant(validation, 4)}`}
        >
          {loss === undefined ? "not yet" : significant(loss, 4)}
        </Figure>
      </Figures>
    </Card>
  );
}

function timeOf(job: TrainingJob): string {
  if (job.billed_seconds !== null) return duration(job.billed_seconds);
  if (job.estimated_completion_at === null) return "unknown";
  return duration((Date.parse(job.estimated_completion_at) - Date.now()) / 1000);
}

const started = ({ started_at: at }: TrainingJob) =>
  at ? (
    <>
      started <Time at={at} />
    </>
  ) : (
    "not started yet"
  );

const LEVELS: Record<TrainingEvent["level"], Tone> = {
  info: "neutral",
  warning: "warn",
  error: "bad",
};

function Events({ jobId, active }: { jobId: string; active: boolean }) {
  const events = useQuery(eventsQuery(jobId, active));
  return (
    <Card title="Events">
      <Loaded query={events} rows={4}>
        {(found) =>
          found.length === 0 ? (
            <Empty title="Nothing has happened yet" />
          ) : (
            <ol
              tabIndex={0}
              aria-label="Events of the training, newest first"
              className="flex max-h-96 flex-col divide-y divide-line overflow-auto text-sm"
            >
              {found.toReversed().map((event) => (
                <li key={event.id} className="flex flex-col gap-1 px-4 py-2.5">
                  <span className="flex items-center justify-between gap-2 text-xs text-muted">
                    <Badge tone={LEVELS[event.level]}>{words(event.type)}</Badge>
                    <Time at={event.created_at} />
                  </span>
                  <span className="break-words">{event.message}</span>
                </li>
              ))}
            </ol>
          )
        }
      </Loaded>
    </Card>
  );
}

const Configuration = ({ job }: { job: TrainingJob }) => (
  <Card title="Configuration">
    <Facts
      facts={[
        ["Dataset", job.dataset.name],
        ["Base model", job.base_model],
        ["Preset", job.preset_id],
        ["Machine", `${job.gpu_config.count} × ${job.gpu_config.type}`],
        [
          "Billed",
          `${job.billing.instances} × ${job.billing.instance_type}, ${usd(job.billing.usd_per_hour)} an hour${job.use_spot ? ", spot" : ""}`,
        ],
        ...Object.entries(job.hyperparameters).map(
          ([name, value]) => [label(name), shown(value)] as const,
        ),
        ...(job.dataset_check ? [["Checked", job.dataset_check.message] as const] : []),
      ]}
    />
  </Card>
);

const shown = (value: unknown) =>
  typeof value === "number"
    ? significant(value, 6)
    : Array.isArray(value)
      ? value.join(", ")
      : String(value);
