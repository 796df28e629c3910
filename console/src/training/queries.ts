/** Training over the API: choices, estimates, jobs with their curves and events, and ordering. */
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

export type Choices = components["schemas"]["ChoicesView"];
export type Hyperparameters = components["schemas"]["HyperparametersView"];
export type TrainingOrder = Omit<components["schemas"]["TrainingJobBody"], "hyperparameters"> & {
  hyperparameters: Partial<Hyperparameters>;
};
export type Estimate = components["schemas"]["EstimateV2View"];
export type TrainingJob = components["schemas"]["TrainingJobView"];
export type JobStatus = TrainingJob["status"];
export type MetricsPoint = components["schemas"]["MetricsPointView"];
export type TrainingEvent = components["schemas"]["TrainingEventView"];

const PAGE = 50;
const ACTIVE_MS = 2_000;
const IDLE_MS = 15_000;
const MOST_POINTS = 1_000;
const MOST_EVENTS = 100;

/** Whether a job can still change: a cancelled one does until its bill is closed. */
export const isActive = (job: TrainingJob) => !job.settled;

/** Whether a job can still be cancelled. */
export const canCancel = ({ status }: TrainingJob) =>
  status === "queued" || status === "initializing" || status === "running";

export const choicesQuery = () =>
  queryOptions({
    queryKey: ["training", "choices"],
    queryFn: async () => (await answer(api().GET("/api/base-models"))).data,
    staleTime: Infinity,
  });

export const readyDatasetsQuery = () =>
  queryOptions({
    queryKey: ["datasets", "ready"],
    queryFn: async () =>
      (
        await answer(
          api().GET("/api/datasets", { params: { query: { status: "ready", limit: 100 } } }),
        )
      ).data.datasets,
  });

/** What an order would take and cost; a question that is overtaken by the next one is aborted. */
export const estimateQuery = (order: TrainingOrder | null) =>
  queryOptions({
    queryKey: ["training", "estimate", order],
    queryFn: async ({ signal }) => {
      const { dataset_id, base_model, preset_id, gpu_config, hyperparameters } =
        order as TrainingOrder;
      const body = { dataset_id, base_model, preset_id, gpu_config, hyperparameters };
      const { data } = await answer(api().POST("/api/jobs/estimate", { body, signal }));
      return data as Estimate;
    },
    enabled: order !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });

export const jobListQuery = (status: JobStatus | undefined) =>
  infiniteQueryOptions({
    queryKey: ["training", "jobs", status ?? "all"],
    queryFn: ({ pageParam: cursor }) =>
      answer(api().GET("/api/jobs", { params: { query: { status, limit: PAGE, cursor } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.data.jobs),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.data.jobs.some(isActive)) ? ACTIVE_MS : IDLE_MS,
  });

export const jobQuery = (jobId: string) =>
  queryOptions({
    queryKey: ["training", "job", jobId],
    queryFn: async () =>
      (await answer(api().GET("/api/jobs/{job_id}", { params: { path: { job_id: jobId } } }))).data
        .job,
    refetchInterval: ({ state }) => (state.data && !isActive(state.data) ? false : ACTIVE_MS),
  });

export const metricsQuery = (jobId: string, active: boolean) =>
  queryOptions({
    queryKey: ["training", "job", jobId, "metrics"],
    queryFn: ({ client, queryKey }) =>
      readOn<MetricsPoint>(client, queryKey, async (cursor) => {
        const params = { path: { job_id: jobId }, query: { limit: MOST_POINTS, cursor } };
        const page = await answer(api().GET("/api/jobs/{job_id}/metrics", { params }));
        return { records: page.data.metrics, next: page.next_cursor };
      }),
    select: ({ all }) => all,
    refetchInterval: active ? ACTIVE_MS : false,
  });

export const eventsQuery = (jobId: string, active: boolean) =>
  queryOptions({
    queryKey: ["training", "job", jobId, "events"],
    queryFn: ({ client, queryKey }) =>
      readOn<TrainingEvent>(client, queryKey, async (cursor) => {
        const params = { path: { job_id: jobId }, query: { limit: MOST_EVENTS, cursor } };
        const page = await answer(api().GET("/api/jobs/{job_id}/events", { params }));
        return { records: page.data.events, next: page.next_cursor };
      }),
    select: ({ all }) => all,
    refetchInterval: active ? 2 * ACTIVE_MS : false,
  });

export function useOrderTraining() {
  const queries = useQueryClient();
  return useOrder(
    async (order: TrainingOrder, idempotencyKey) => {
      const params = { header: { "idempotency-key": idempotencyKey } };
      return (await answer(api().POST("/api/jobs", { params, body: order }))).data;
    },
    () => queries.invalidateQueries({ queryKey: ["training", "jobs"] }),
  );
}

export function useCancelTraining(jobId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answer(api().POST("/api/jobs/{job_id}/cancel", { params: { path: { job_id: jobId } } })),
    onSettled: () => queries.invalidateQueries({ queryKey: ["training"] }),
  });
}
