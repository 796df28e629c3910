/** The state of the training pages in their addresses. */
import { oneOf, text } from "@/ui/address";

import type { JobStatus } from "./queries";

export const JOB_STATUSES = [
  "queued",
  "initializing",
  "running",
  "completed",
  "failed",
  "cancelled",
] as const satisfies readonly JobStatus[];

export const readJobListSearch = (raw: Record<string, unknown>): { status?: JobStatus } => ({
  status: oneOf(raw.status, JOB_STATUSES),
});

/** The dataset that another page proposes to train on. */
export const readOrderSearch = (raw: Record<string, unknown>): { dataset?: string } => ({
  dataset: text(raw.dataset),
});
