/** Costs over the API. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import type { components } from "@/api/schema";

import { apiQuery, type CostSearch } from "./search";

export type Costs = components["schemas"]["CostsPart"];
export type CostRecord = components["schemas"]["CostRecordView"];
export type CostKind = CostRecord["cost_type"];

export const KINDS: CostKind[] = ["writing", "judging", "training_compute"];
export const KIND_WORDS: Record<CostKind, string> = {
  writing: "Writing",
  judging: "Judging",
  training_compute: "Training",
};

export type Budgets = components["schemas"]["BudgetsPart"];
export type Budget = Budgets["owner"];

export const budgetQuery = queryOptions({
  queryKey: ["costs", "budget"],
  queryFn: async () => (await answer(api().GET("/api/costs/budget"))).data,
});

export const costsQuery = (search: CostSearch) =>
  queryOptions({
    queryKey: ["costs", search],
    queryFn: async () =>
      (await answer(api().GET("/api/costs", { params: { query: apiQuery(search) } }))).data,
    placeholderData: keepPreviousData,
  });
