/** Training files over the API: lists, one with its versions, creation, growth, downloads. */
import { infiniteQueryOptions, queryOptions, useQueryClient } from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import type { components } from "@/api/schema";
import { useOrder } from "@/api/useOrder";

import { type Contents, contentsOf } from "./contents";

export type TrainingFile = components["schemas"]["TrainingFileView"];
export type Build = components["schemas"]["BuildDetails"];
export type Version = components["schemas"]["VersionView"];
export type FileFormat = "json" | "jsonl";
export type Eligibility = components["schemas"]["NewTrainingFile"]["eligibility"];

const PAGE = 50;
const BUILDING_MS = 1_500;

export const isBuilding = (file: TrainingFile | undefined) => file?.build?.status === "building";

export const trainingFileListQuery = () =>
  infiniteQueryOptions({
    queryKey: ["training-files", "list"],
    queryFn: ({ pageParam }) =>
      answer(
        api().GET("/api/training-files", { params: { query: { limit: PAGE, cursor: pageParam } } }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.files),
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.files.some(isBuilding)) ? BUILDING_MS : false,
  });

export const trainingFileQuery = (fileId: string) =>
  queryOptions({
    queryKey: ["training-files", "one", fileId],
    queryFn: () =>
      answer(api().GET("/api/training-files/{file_id}", { params: { path: { file_id: fileId } } })),
    refetchInterval: ({ state }) => (isBuilding(state.data?.trainingFile) ? BUILDING_MS : false),
  });

/** All training files, and whether a dataset can be made of each. */
export const importableQuery = () =>
  queryOptions({
    queryKey: ["training-files", "importable"],
    queryFn: () => answer(api().GET("/api/training-files/available-for-import")),
  });

/** A short-lived link to one version, in one format. */
export const downloadLink = async (fileId: string, format: FileFormat, version: number) =>
  (
    await answer(
      api().GET("/api/training-files/{file_id}/download", {
        params: { path: { file_id: fileId }, query: { format, version } },
      }),
    )
  ).download_url;

/** The tiers and scores of a version, counted in its training.json; a version never changes. */
export const contentsQuery = (fileId: string, version: number) =>
  queryOptions({
    queryKey: ["training-files", "contents", fileId, version],
    queryFn: async (): Promise<Contents> => {
      const response = await fetch(await downloadLink(fileId, "json", version));
      if (!response.ok) throw new Error(`The file could not be read: ${response.status}.`);
      return contentsOf(await response.json());
    },
    staleTime: Infinity,
    retry: false,
  });

/** Conversations for a training file: chosen ones, or all that pass a filter. */
export type Selection = { conversation_ids: string[] } | { filter: Filter };
export type Filter = components["schemas"]["BulkFilter"];

export interface Conditions {
  eligibility: Eligibility;
  allow_duplicates: boolean;
}

/** What a selection would give, texts not compared. */
export interface Preview {
  selected: number;
  eligible: number;
  leftOut: Record<string, number>;
}

export const previewQuery = (selection: Selection, conditions: Conditions) =>
  queryOptions({
    queryKey: ["training-files", "preview", selection, conditions],
    queryFn: async ({ signal }): Promise<Preview> => {
      const preview: Preview = { selected: 0, eligible: 0, leftOut: {} };
      for (let position: number | null = 0; position !== null;) {
        const page: components["schemas"]["SelectionPreviewResponse"] = await answer(
          api().POST("/api/training-files/preview", {
            body: { ...selection, ...conditions, position },
            signal,
          }),
        );
        preview.selected = page.selected;
        preview.eligible += page.eligible;
        for (const [reason, count] of Object.entries(page.left_out))
          preview.leftOut[reason] = (preview.leftOut[reason] ?? 0) + count;
        position = page.next_position;
      }
      return preview;
    },
    staleTime: 0,
  });

/** Make a file of a selection, or a further version of a file. */
export type Order = Conditions &
  ({ name: string; description: string } | { fileId: string }) & { selection: Selection };

/** Those that cannot be in the file are left out, since the reader has seen how many they are. */
export function useMakeVersion() {
  const queries = useQueryClient();
  return useOrder(
    async ({ selection, ...rest }: Order, idempotencyKey): Promise<TrainingFile> => {
      const header = { "idempotency-key": idempotencyKey };
      const conditions = { ...selection, strict: false };
      if ("fileId" in rest) {
        const { fileId, ...others } = rest;
        const grown = await answer(
          api().POST("/api/training-files/{file_id}/add-conversations", {
            params: { path: { file_id: fileId }, header },
            body: { ...conditions, ...others },
          }),
        );
        return grown.trainingFile;
      }
      const made = await answer(
        api().POST("/api/training-files", { params: { header }, body: { ...conditions, ...rest } }),
      );
      return made.trainingFile;
    },
    () => queries.invalidateQueries({ queryKey: ["training-files"] }),
  );
}
