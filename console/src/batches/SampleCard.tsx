import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import type { Combination } from "@/scaffolding/combinations";
import { Button } from "@/ui/Button";
import { Card } from "@/ui/Page";

import { type BatchItem, batchItemsQuery, batchStatusQuery, isActive } from "./queries";
import { StatusBadge } from "./status";

export interface Sample {
  jobId: string;
  status: string | undefined;
  items: readonly BatchItem[];
  combinations: readonly Combination[];
}

/** The sample of an order, while and after it is written; undefined where there is none. */
export function useSample(jobId: string | undefined): Sample | undefined {
  const status = useQuery({ ...batchStatusQuery(jobId ?? ""), enabled: jobId !== undefined }).data
    ?.status;
  const active = status === undefined || isActive(status);
  const items = useInfiniteQuery({
    ...batchItemsQuery(jobId ?? "", undefined, active),
    enabled: jobId !== undefined,
  }).data;
  if (jobId === undefined) return undefined;
  return {
    jobId,
    status,
    items: items ?? [],
    combinations: (items ?? []).map((item) => ({
      persona: item.persona_key,
      arc: item.emotional_arc_key,
      topic: item.training_topic_key,
    })),
  };
}

/** The few conversations that are read before the rest is ordered. */
export const SampleCard = ({ sample, onForget }: { sample: Sample; onForget: () => void }) => (
  <Card title="Sample">
    <div className="flex flex-col gap-3 p-4 text-sm">
      <p className="text-muted">Read what was written; then order the rest below.</p>
      <ul aria-label="Conversations of the sample" className="flex flex-col gap-2">
        {sample.items.map((item) => (
          <li key={item.id} className="flex items-start justify-between gap-2">
            <span className="min-w-0 break-words">
              {item.persona_key}, {item.emotional_arc_key}, {item.training_topic_key}
              {item.error_message && <span className="block text-bad">{item.error_message}</span>}
            </span>
            {item.conversation_id && item.status === "completed" ? (
              <Link
                to="/conversations/$conversationId"
                params={{ conversationId: item.conversation_id }}
                search={{ batch: sample.jobId }}
                className="text-accent hover:underline"
              >
                Read
              </Link>
            ) : (
              <StatusBadge status={item.status} />
            )}
          </li>
        ))}
      </ul>
      <div>
        <Button kind="quiet" onClick={onForget}>
          Order all, without regard to it
        </Button>
      </div>
    </div>
  </Card>
);
