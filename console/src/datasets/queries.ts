/** Datasets over the API: lists, one with its validation, uploads, imports, receipts. */
import {
  infiniteQueryOptions,
  queryOptions,
  useMutation,
  useQueryClient,
} from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import type { components } from "@/api/schema";

import { readLines } from "./file-lines";
import type { DatasetSearch } from "./search";
import type { TextOrigin } from "./TextSource";

export type DatasetRow = components["schemas"]["DatasetSummary"];
export type Dataset = components["schemas"]["DatasetView"];
export type DatasetStatus = DatasetRow["status"];
export type UploadPlan = components["schemas"]["Upload"];
export type Receipt = components["schemas"]["ReceiptView"];
export type ReceiptOrder = components["schemas"]["ReceiptBody"];
/** A problem of a file: `line` from 1, `pointer` a JSON pointer into the line's record. */
export interface Problem {
  line: number;
  pointer: string;
  code: string;
  message: string;
  hint: string;
}

/** Every problem that the validation listed, up to a thousand of each severity. */
export interface Report {
  errors: Problem[];
  warnings: Problem[];
}

const BUSY_MS = 1_500;
const PAGE = 50;
/** Files above this are sent in parts, so that a broken connection costs one part at most. */
const LARGEST_WHOLE = 16 * 1024 * 1024;

export const isBusy = (status: string) => status === "validating";

export const datasetListQuery = (search: DatasetSearch) =>
  infiniteQueryOptions({
    queryKey: ["datasets", "list", search],
    queryFn: ({ pageParam }) =>
      answer(
        api().GET("/api/datasets", {
          params: {
            query: { status: search.status, search: search.q, limit: PAGE, cursor: pageParam },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.data.datasets),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.data.datasets.some((one) => isBusy(one.status)))
        ? BUSY_MS
        : false,
  });

export const datasetQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ["datasets", "one", datasetId],
    queryFn: async () =>
      (
        await answer(
          api().GET("/api/datasets/{dataset_id}", { params: { path: { dataset_id: datasetId } } }),
        )
      ).data,
    refetchInterval: ({ state }) => (state.data && isBusy(state.data.status) ? BUSY_MS : false),
  });

export const reportLink = async (datasetId: string) =>
  (
    await answer(
      api().GET("/api/datasets/{dataset_id}/report", {
        params: { path: { dataset_id: datasetId } },
      }),
    )
  ).data;

/** The full report of one validation run, from the bucket. */
export const reportQuery = (datasetId: string, run: number) =>
  queryOptions({
    queryKey: ["datasets", "report", datasetId, run],
    queryFn: async (): Promise<Report> => {
      const { download_url: url } = await reportLink(datasetId);
      const response = await fetch(url);
      if (!response.ok) throw new Error(`The report could not be read: ${response.status}.`);
      return (await response.json()) as Report;
    },
    staleTime: Infinity,
    retry: false,
  });

/** Create a dataset that waits for a file, with the links to send it to. */
export const createDataset = async (file: File) =>
  (
    await answer(
      api().POST("/api/datasets", {
        body: {
          name: nameOf(file),
          description: "",
          format: "auto",
          file_name: file.name,
          file_size: file.size,
          multipart: file.size > LARGEST_WHOLE,
        },
      }),
    )
  ).data;

const nameOf = (file: File) =>
  file.name
    .replace(/\.[A-Za-z0-9]{1,10}$/, "")
    .slice(0, 200)
    .trim() || "dataset";

/** What is missing of a dataset's file, with fresh links for it. */
export const uploadPlan = async (datasetId: string) =>
  (
    await answer(
      api().GET("/api/datasets/{dataset_id}/upload", {
        params: { path: { dataset_id: datasetId } },
      }),
    )
  ).data;

export const uploadPlanQuery = (datasetId: string) =>
  queryOptions({
    queryKey: ["datasets", "upload", datasetId],
    queryFn: () => uploadPlan(datasetId),
    staleTime: 0,
  });

/** Say that the file has arrived: it is validated then. Repeated, it validates once more. */
export const confirmUpload = async (datasetId: string) =>
  (
    await answer(
      api().POST("/api/datasets/{dataset_id}/confirm", {
        params: { path: { dataset_id: datasetId } },
      }),
    )
  ).data;

function useForget() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ["datasets"] });
}

export function useValidateAgain(datasetId: string) {
  const forget = useForget();
  return useMutation({ mutationFn: () => confirmUpload(datasetId), onSettled: forget });
}

export function useDeleteDataset(datasetId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answer(
        api().DELETE("/api/datasets/{dataset_id}", { params: { path: { dataset_id: datasetId } } }),
      ),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["datasets", "list"] }),
        // Its version can be imported again.
        queries.invalidateQueries({ queryKey: ["training-files"] }),
      ]),
  });
}

/** Make a dataset of one version of a training file. */
export function useImport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (version: { fileId: string; version?: number }) =>
      (
        await answer(
          api().POST("/api/datasets/import-from-training-file", {
            body: { training_file_id: version.fileId, version: version.version },
          }),
        )
      ).data,
    onSettled: () =>
      Promise.all(
        ["datasets", "training-files"].map((key) => queries.invalidateQueries({ queryKey: [key] })),
      ),
  });
}

export const baseModelsQuery = () =>
  queryOptions({
    queryKey: ["base-models"],
    queryFn: async () => (await answer(api().GET("/api/base-models"))).data,
    staleTime: Infinity,
  });

/** What a base model will see of a dataset; kept as long as the dataset is not validated anew. */
export const receiptQuery = (datasetId: string, run: number, order: ReceiptOrder) =>
  queryOptions({
    queryKey: ["datasets", "receipt", datasetId, run, order],
    queryFn: async () =>
      (
        await answer(
          api().POST("/api/datasets/{dataset_id}/receipt", {
            params: { path: { dataset_id: datasetId } },
            body: order,
          }),
        )
      ).data,
    staleTime: Infinity,
    retry: false,
  });

/** The text of some lines of a dataset, read from where the reader says it is. */
export const linesQuery = (dataset: Dataset, origin: TextOrigin | null, lines: number[]) =>
  queryOptions({
    queryKey: [
      "datasets",
      "lines",
      dataset.id,
      dataset.validation_run,
      origin instanceof File ? [origin.name, origin.lastModified] : origin,
      lines.length,
    ],
    queryFn: async () =>
      readLines(origin instanceof File ? origin : await trainingFileText(dataset), new Set(lines)),
    staleTime: Infinity,
    retry: false,
  });

/** Open the version of a training file that a dataset was made of. */
async function trainingFileText(dataset: Dataset) {
  const { download_url: url } = await answer(
    api().GET("/api/training-files/{file_id}/download", {
      params: {
        path: { file_id: dataset.training_file_id as string },
        query: { format: "jsonl", version: dataset.training_file_version ?? undefined },
      },
    }),
  );
  const { body, ok, status } = await fetch(url);
  if (!ok || !body) throw new Error(`The training file could not be read: ${status}.`);
  return body;
}
