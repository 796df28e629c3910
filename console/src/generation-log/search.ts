/** Which calls to Claude and which failed generations a list shows, held in the address. */
import type { operations } from "@/api/schema";
import { day, oneOf, text } from "@/ui/address";

type Query<Operation extends keyof operations> = NonNullable<
  operations[Operation]["parameters"]["query"]
>;

export const FAILURE_TYPES = [
  "truncation",
  "parse_error",
  "api_error",
  "validation_error",
] as const;
/** Why Claude stopped writing, as its API tells it. */
export const STOP_REASONS = ["end_turn", "max_tokens", "refusal", "stop_sequence"] as const;

export interface FailureSearch {
  type?: (typeof FAILURE_TYPES)[number];
  stop?: (typeof STOP_REASONS)[number];
  pattern?: string;
  batch?: string;
  /** Days of UTC, such as 2026-11-29, both included. */
  from?: string;
  to?: string;
}

/** Read an address; what is no choice of ours is left out rather than sent to the API. */
export const readFailureSearch = (raw: Record<string, unknown>): FailureSearch => ({
  type: oneOf(raw.type, FAILURE_TYPES),
  stop: oneOf(raw.stop, STOP_REASONS),
  pattern: text(raw.pattern),
  batch: text(raw.batch),
  from: day(raw.from),
  to: day(raw.to),
});

export const failureFilter = (search: FailureSearch): Query<"list_failed_generations"> => ({
  failure_type: search.type,
  stop_reason: search.stop,
  truncation_pattern: search.pattern,
  run_id: search.batch,
  date_from: search.from,
  date_to: search.to,
});

export const CALL_STATUSES = ["success", "failed", "rate_limited", "timeout"] as const;
export const CALL_KINDS = ["conversation", "judgement"] as const;

export interface CallSearch {
  status?: (typeof CALL_STATUSES)[number];
  kind?: (typeof CALL_KINDS)[number];
  model?: string;
  batch?: string;
  /** Days of UTC, both included. */
  from?: string;
  to?: string;
}

export const readCallSearch = (raw: Record<string, unknown>): CallSearch => ({
  status: oneOf(raw.status, CALL_STATUSES),
  kind: oneOf(raw.kind, CALL_KINDS),
  model: text(raw.model),
  batch: text(raw.batch),
  from: day(raw.from),
  to: day(raw.to),
});

export const callFilter = (search: CallSearch): Query<"list_generation_logs"> => ({
  status: search.status,
  kind: search.kind,
  model_used: search.model,
  run_id: search.batch,
  date_from: search.from,
  date_to: search.to,
});
