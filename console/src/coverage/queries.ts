/** The coverage over the API: conversations by combination, and what batches will write. */
import { queryOptions } from "@tanstack/react-query";

import { answer, api } from "@/api/client";

import { Coverage } from "./coverage";

const REFRESH_MS = 30_000;

export interface ReadCoverage {
  coverage: Coverage;
  conversations: number;
  /** Combinations that the API left out, and whether it did not read all open batches. */
  omitted: number;
  isPlanPartial: boolean;
}

export const coverageQuery = () =>
  queryOptions({
    queryKey: ["conversations", "list", "coverage"],
    queryFn: async (): Promise<ReadCoverage> => {
      const [counted, planned] = await Promise.all([
        answer(api().GET("/api/conversations/coverage")),
        answer(api().GET("/api/batch-jobs/planned")),
      ]);
      return {
        coverage: new Coverage(counted.combinations, planned.combinations),
        conversations: counted.total,
        omitted: counted.omitted,
        isPlanPartial: !planned.complete,
      };
    },
    refetchInterval: REFRESH_MS,
  });
