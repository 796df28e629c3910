/** Delivered adapters over the API: the list, one of them, and the links to its files. */
import { infiniteQueryOptions, queryOptions, useMutation } from "@tanstack/react-query";

import { answer, api } from "@/api/client";
import { ApiProblem } from "@/api/problem";
import type { components } from "@/api/schema";
import { saveBlob } from "@/ui/saveBlob";

export type Model = components["schemas"]["AdapterView"];

const PAGE = 50;

export const modelListQuery = () =>
  infiniteQueryOptions({
    queryKey: ["models", "list"],
    queryFn: ({ pageParam: cursor }) =>
      answer(api().GET("/api/models", { params: { query: { limit: PAGE, cursor } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((page) => page.data.models),
  });

export const modelQuery = (modelId: string) =>
  queryOptions({
    queryKey: ["models", "one", modelId],
    queryFn: async () =>
      (
        await answer(
          api().GET("/api/models/{model_id}", { params: { path: { model_id: modelId } } }),
        )
      ).data,
  });

/** Short-lived links to some of an adapter's files, by their names. */
async function linksTo(modelId: string, files: string[]): Promise<Record<string, string>> {
  const params = { path: { model_id: modelId } };
  const call = api().POST("/api/models/{model_id}/download", { params, body: { files } });
  return (await answer(call)).data.download_urls;
}

/** The text of a small file, such as the card; an ApiProblem where the store does not give it. */
async function textOf(modelId: string, name: string): Promise<string> {
  const url = (await linksTo(modelId, [name]))[name] as string;
  const response = await fetch(url).catch(() => null);
  if (!response?.ok) {
    throw new ApiProblem(response?.status ?? 0, `${name} could not be read.`, "unreadable_file");
  }
  return response.text();
}

export const cardQuery = (modelId: string) =>
  queryOptions({
    queryKey: ["models", "one", modelId, "card"],
    queryFn: () => textOf(modelId, "README.md"),
    staleTime: Infinity,
  });

/** What the trainer wrote of an adapter's origin: manifest.json, its bill of materials. */
export interface Manifest {
  created: string;
  base_model: { id: string; revision: string | null; files: { path: string; sha256: string }[] };
  dataset: { name: string; rows: number; bytes: number; sha256: string }[];
  versions: Record<string, string | null>;
  settings: Record<string, unknown>;
}

export const manifestQuery = (modelId: string) =>
  queryOptions({
    queryKey: ["models", "one", modelId, "manifest"],
    queryFn: async () => JSON.parse(await textOf(modelId, "manifest.json")) as Manifest,
    staleTime: Infinity,
  });

/** A short-lived link to one file. */
export const fileLink = async (modelId: string, name: string) =>
  (await linksTo(modelId, [name]))[name] as string;

/**
 * Save all files as one archive, which the browser packs as they arrive, without compression: an
 * adapter is random numbers, which compress by nothing. Files are read one after the other.
 */
export function useArchive(model: Model) {
  return useMutation({
    mutationFn: async () => {
      const { downloadZip } = await import("client-zip");
      const links = await linksTo(
        model.id,
        model.files.map((file) => file.name),
      );
      const archive = await downloadZip(contents(model, links)).blob();
      saveBlob(`${model.name}.zip`, archive);
    },
  });
}

async function* contents(model: Model, links: Record<string, string>) {
  for (const { name } of model.files) {
    const input = await fetch(links[name] as string).catch(() => null);
    if (!input?.ok)
      throw new ApiProblem(input?.status ?? 0, `${name} could not be read.`, "unreadable_file");
    yield { name, input };
  }
}
