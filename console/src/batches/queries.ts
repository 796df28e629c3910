/** Batches over the API: what the pages read, and the actions on them. */
import {
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import { readOn } from "@/api/readOn";
import type { components } from "@/api/schema";
import { useOrder } from "@/api/useOrder";

import type { BatchOrder } from "./order";

export type Batch = components["schemas"]["JobSummary"];
export type BatchStatus = components["schemas"]["JobStatusResponse"];
export type BatchItem = components["schemas"]["ItemSummary"];
export type ItemStatus = components["schemas"]["ItemStatus"];
/** A control, a retry of what failed, or a higher cap in US dollars, with which it is resumed. */
export type BatchAction =
  components["schemas"]["ControlRequest"]["action"] | "retry" | { cap: number };

const PAGE = 50;
const ITEMS_PAGE = 100;
const LOG_PAGE = 1_000;
const ACTIVE_MS = 2_000;
const IDLE_MS = 15_000;

export const isActive = (status: string) => status === "queued" || status === "processing";

export const batchListQuery = () =>
  infiniteQueryOptions({
    queryKey: ["batches", "list"],
    queryFn: ({ pageParam: cursor }) =>
      answer(api().GET("/api/batch-jobs", { params: { query: { limit: PAGE, cursor } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.jobs),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.jobs.some((job) => isActive(job.status)))
        ? ACTIVE_MS
        : IDLE_MS,
  });

export const batchStatusQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["batches", jobId, "status"],
    queryFn: () =>
      answer(
        api().GET("/api/conversations/batch/{job_id}/status", {
          params: { path: { job_id: jobId } },
        }),
      ),
    refetchInterval: ({ state }) =>
      state.data && !isActive(state.data.status) ? IDLE_MS : ACTIVE_MS,
  });

/** The end of a key: what was read while a batch ran is read once more when it has ended. */
const phase = (active: boolean) => (active ? "running" : "ended");

export const batchItemsQuery = (jobId: string, status: ItemStatus | undefined, active: boolean) =>
  infiniteQueryOptions({
    queryKey: ["batches", jobId, "items", status ?? "all", phase(active)],
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam: cursor }) =>
      answer(
        api().GET("/api/conversations/batch/{job_id}/items", {
          params: { path: { job_id: jobId }, query: { status, limit: ITEMS_PAGE, cursor } },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.items),
    refetchInterval: active ? 2 * ACTIVE_MS : false,
  });

/** All lines of a batch's log, oldest first; while it runs, only what was added is read. */
export const batchLogQuery = (jobId: string, active: boolean) =>
  queryOptions({
    queryKey: ["batches", jobId, "log"],
    queryFn: ({ client, queryKey }) =>
      readOn<string>(client, queryKey, async (cursor) => {
        const params = { path: { job_id: jobId }, query: { limit: LOG_PAGE, cursor } };
        const page = await answer(api().GET("/api/batch-jobs/{job_id}/log", { params }));
        return { records: page.lines, next: page.next_cursor };
      }),
    select: ({ all }) => all,
    refetchInterval: active ? 2 * ACTIVE_MS : IDLE_MS,
  });

/** Pause, resume, cancel, retry what failed, or raise the cap. */
export function useBatchAction(jobId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (action: BatchAction) => {
      const params = { path: { job_id: jobId } };
      if (action === "retry") {
        await answer(api().POST("/api/batch-jobs/{job_id}/retry-failed", { params }));
      } else {
        const body =
          typeof action === "string"
            ? { action }
            : { action: "resume" as const, max_cost_usd: action.cap };
        await answer(api().PATCH("/api/conversations/batch/{job_id}", { params, body }));
      }
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["batches"] }),
  });
}

/** What an order would be, without storing it: size, price, time, and all that is missing. */
export const batchPreviewQuery = (order: BatchOrder | null) =>
  queryOptions({
    queryKey: ["batches", "preview", order],
    queryFn: () =>
      answer(api().POST("/api/conversations/generate-batch/preview", { body: order as never })),
    enabled: order !== null,
    placeholderData: keepPreviousData,
  });

export function useOrderBatch() {
  const queries = useQueryClient();
  return useOrder(
    (order: BatchOrder, idempotencyKey) =>
      answer(
        api().POST("/api/conversations/generate-batch", {
          params: { header: { "idempotency-key": idempotencyKey } },
          // The generated type of "one of two" bodies is the intersection of both, which nothing fits.
          body: order as never,
        }),
      ),
    () => queries.invalidateQueries({ queryKey: ["batches"] }),
  );
}
