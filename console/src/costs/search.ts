/** The days whose costs are shown, held in the address. */
import type { operations } from "@/api/schema";
import { day, oneOf } from "@/ui/address";

type Query = NonNullable<operations["show_costs"]["parameters"]["query"]>;

export const PERIODS = ["week", "month", "year"] as const;

export interface CostSearch {
  period?: (typeof PERIODS)[number];
  from?: string;
  to?: string;
}

/** Read an address; days count only where no period is named. */
export function readCostSearch(raw: Record<string, unknown>): CostSearch {
  const period = oneOf(raw.period, PERIODS);
  if (period) return { period };
  return { from: day(raw.from), to: day(raw.to) };
}

/** The API's parameters of an address; without any, it shows the last 30 days. */
export const apiQuery = ({ period, from, to }: CostSearch): Query => ({
  period,
  start_date: from,
  end_date: to,
});
