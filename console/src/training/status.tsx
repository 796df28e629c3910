import { Badge, type Tone } from "@/ui/Badge";
import { words } from "@/ui/format";

import type { TrainingJob } from "./queries";

const TONES: Record<TrainingJob["status"], Tone> = {
  queued: "neutral",
  initializing: "accent",
  running: "accent",
  completed: "good",
  failed: "bad",
  cancelled: "neutral",
};

export const JobStatusBadge = ({ status }: { status: TrainingJob["status"] }) => (
  <Badge tone={TONES[status]}>{words(status)}</Badge>
);

/** How far a job is, in per cent, with the step. */
export function Progress({ job }: { job: TrainingJob }) {
  const percent = Math.round(job.progress);
  return (
    <div>
      <div
        role="progressbar"
        aria-label={`Progress of ${job.name}`}
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
        className="h-2.5 overflow-hidden rounded-full border border-line bg-raised"
      >
        <div
          className={`h-full transition-[width] ${job.status === "failed" ? "bg-bad" : "bg-accent"}`}
          style={{ width: `${percent}%` }}
        />
      </div>
      <p className="mt-1.5 text-xs whitespace-nowrap text-muted tabular-nums">
        {percent} %{job.total_steps > 0 && `, step ${job.current_step} of ${job.total_steps}`}
      </p>
    </div>
  );
}
