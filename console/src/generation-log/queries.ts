/** Calls to Claude and generations that failed, over the API. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import type { components } from "@/api/schema";

import { callFilter, type CallSearch, failureFilter, type FailureSearch } from "./search";

export type Failure = components["schemas"]["FailureView"];
export type Call = components["schemas"]["LogEntryView"];

const PAGE_SIZE = 50;

export const failureListQuery = (search: FailureSearch) =>
  infiniteQueryOptions({
    queryKey: ["generation-log", "failures", search],
    queryFn: ({ pageParam: cursor }) =>
      answer(
        api().GET("/api/failed-generations", {
          params: { query: { ...failureFilter(search), limit: PAGE_SIZE, cursor } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.failures),
  });

export const failureQuery = (failureId: string) =>
  queryOptions({
    queryKey: ["generation-log", "failure", failureId],
    queryFn: async () =>
      (
        await answer(
          api().GET("/api/failed-generations/{failure_id}", {
            params: { path: { failure_id: failureId } },
          }),
        )
      ).failure,
  });

/** A link to the full report, which expires. */
export const reportLink = async (failureId: string) =>
  answer(
    api().GET("/api/failed-generations/{failure_id}/download", {
      params: { path: { failure_id: failureId } },
    }),
  );

/** The full report: the prompt, Claude's answer and what is wrong with it. */
export const reportQuery = (failureId: string) =>
  queryOptions({
    queryKey: ["generation-log", "report", failureId],
    queryFn: async (): Promise<unknown> => {
      const link = await reportLink(failureId);
      const response = await fetch(link.download_url);
      if (!response.ok) throw new ApiProblem(response.status, "The report is gone.", "no_report");
      return response.json();
    },
    staleTime: Infinity,
    retry: false,
  });

export const callListQuery = (search: CallSearch) =>
  infiniteQueryOptions({
    queryKey: ["generation-log", "calls", search],
    queryFn: ({ pageParam: cursor }) =>
      answer(
        api().GET("/api/generation-logs", {
          params: { query: { ...callFilter(search), limit: PAGE_SIZE, cursor } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.logs),
  });

type Statistics = {
  cost: components["schemas"]["CostStatistics"];
  performance: components["schemas"]["PerformanceStatistics"];
};

export const statisticsQuery = <T extends keyof Statistics>(type: T) =>
  queryOptions({
    queryKey: ["generation-log", "statistics", type],
    queryFn: async () =>
      (await answer(
        api().GET("/api/generation-logs/stats", { params: { query: { type } } }),
      )) as Statistics[T],
  });
