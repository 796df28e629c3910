/** What a validation counted; the API hands it on as it stands in the report. */
import type { Dataset } from "./queries";

/** Tokens that a share of all have at most. */
export interface Lengths {
  p50: number;
  p90: number;
  p95: number;
  p99: number;
  max: number;
}

/** How often a problem occurred in the whole file, and its first lines. */
export interface CodeCount {
  code: string;
  severity: "error" | "warning";
  count: number;
  lines: number[];
}

export interface Statistics {
  lines: number;
  records: number;
  refused: number;
  conversations: number;
  tokens_per_conversation: Lengths;
  tokens_per_pair: Lengths;
  duplicates: number;
  near_duplicates: number;
  forgotten: number;
  error_count: number;
  warning_count: number;
  summary: CodeCount[];
}

/** The counts of the last validation; null before the first one that was carried out. */
export const statisticsOf = (dataset: Dataset): Statistics | null =>
  "summary" in dataset.statistics ? (dataset.statistics as unknown as Statistics) : null;
