/** Personas, arcs, topics, templates and the consultant over the API. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";

import { answer, api, etag } from "@/api/client";
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type Persona = Schemas["Persona"];
export type EmotionalArc = Schemas["EmotionalArc"];
export type TrainingTopic = Schemas["TrainingTopic"];
export type Template = Schemas["TemplateView"];
export type Domain = Schemas["DomainView"];
export type PersonaField = Schemas["PersonaField"];
export type Consultant = Schemas["Consultant"];
export type ScaffoldingRecord = Persona | EmotionalArc | TrainingTopic | Template | Consultant;
/** A persona, an arc and a topic, each by its id or key. */
export type Combination = Schemas["CombinationRequest"];
export type Tier = NonNullable<Schemas["PreviewRequest"]["tier"]>;

type DomainKey = NonNullable<Persona["domain"]>;

/** A domain, the default one if none is named; an address may name one that there is none of. */
const inDomain = (domain?: string) => (domain ? { domain: domain as DomainKey } : {});

/** All records of a domain. */
const allOf = (domain?: string) => ({
  params: { query: { is_active: "all" as const, ...inDomain(domain) } },
});

/** What conversations can be about; they change with a deployment only. */
export const domainsQuery = () =>
  queryOptions({
    queryKey: ["scaffolding", "domains"],
    queryFn: async () => (await answer(api().GET("/api/scaffolding/domains"))).domains,
    staleTime: Infinity,
  });

export const personasQuery = (domain?: string) =>
  queryOptions({
    queryKey: ["scaffolding", "personas", domain],
    queryFn: async () =>
      (await answer(api().GET("/api/scaffolding/personas", allOf(domain)))).personas,
  });

export const arcsQuery = (domain?: string) =>
  queryOptions({
    queryKey: ["scaffolding", "emotional-arcs", domain],
    queryFn: async () =>
      (await answer(api().GET("/api/scaffolding/emotional-arcs", allOf(domain)))).emotional_arcs,
  });

export const topicsQuery = (domain?: string) =>
  queryOptions({
    queryKey: ["scaffolding", "training-topics", domain],
    queryFn: async () =>
      (await answer(api().GET("/api/scaffolding/training-topics", allOf(domain)))).training_topics,
  });

export const templatesQuery = (domain?: string) =>
  queryOptions({
    queryKey: ["scaffolding", "templates", domain],
    queryFn: async () => (await answer(api().GET("/api/templates", allOf(domain)))).templates,
  });

export const consultantQuery = (domain?: string) =>
  queryOptions({
    queryKey: ["scaffolding", "consultant", domain],
    queryFn: async () =>
      (
        await answer(
          api().GET("/api/scaffolding/consultant", { params: { query: inDomain(domain) } }),
        )
      ).consultant,
  });

/** Every placeholder that the templates of a domain may use, which any one of them tells. */
export const placeholdersQuery = (templateId: string, domain?: string) =>
  queryOptions({
    queryKey: ["scaffolding", "placeholders", domain],
    queryFn: async () =>
      (
        await answer(
          api().GET("/api/templates/{record_id}", { params: { path: { record_id: templateId } } }),
        )
      ).available_variables ?? [],
    staleTime: Infinity,
  });

export interface PreviewOrder extends Combination {
  template_text?: string;
  tier?: Tier;
}

/** What Claude would be sent; without a draft's text, by the template that a batch selects. */
export const promptPreviewQuery = (order: PreviewOrder) =>
  queryOptions({
    queryKey: ["scaffolding", "prompt", order],
    queryFn: () => answer(api().POST("/api/templates/preview", { body: order })),
    placeholderData: keepPreviousData,
    enabled: Boolean(order.persona_id && order.emotional_arc_id && order.training_topic_id),
  });

export type Fields = Record<string, unknown>;
type RecordPath =
  | "/api/scaffolding/personas"
  | "/api/scaffolding/emotional-arcs"
  | "/api/scaffolding/training-topics"
  | "/api/templates";

export interface RecordChange {
  id: string;
  version: number;
  fields: Fields;
}

/** An answer with one record holds it under a name of its kind, beside `success`. */
function recordOf(body: object): ScaffoldingRecord {
  const named = Object.values(body).find((value) => typeof value === "object" && "id" in value);
  return named as ScaffoldingRecord;
}

function useForget() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: ["scaffolding"] });
}

/** Create a record of the kind at `path`; its key must be free. */
export function useCreateRecord(path: RecordPath) {
  const forget = useForget();
  return useMutation({
    // The fields are described by `kinds.ts`; the API checks them.
    mutationFn: async (fields: Fields) =>
      recordOf(await answer(api().POST(path, { body: fields as never }))),
    onSuccess: forget,
  });
}

/** Change fields of the version that was read; a newer one is not overwritten. */
export function useChangeRecord(path: RecordPath) {
  const forget = useForget();
  return useMutation({
    mutationFn: async ({ id, version, fields }: RecordChange) =>
      recordOf(
        await answer(
          api().PATCH(`${path}/{record_id}`, {
            params: { path: { record_id: id }, header: { "if-match": etag(version) } },
            body: fields as never,
          }),
        ),
      ),
    onSuccess: forget,
  });
}

/** Hide a record from lists and from the choice "all". */
export function useDeactivateRecord(path: RecordPath) {
  const forget = useForget();
  return useMutation({
    mutationFn: (id: string) =>
      answer(api().DELETE(`${path}/{record_id}`, { params: { path: { record_id: id } } })),
    onSuccess: forget,
  });
}

/** Replace the consultant's fields, unless another version is there by now. */
export function usePutConsultant() {
  const forget = useForget();
  return useMutation({
    mutationFn: async ({ version, fields }: Omit<RecordChange, "id">) =>
      recordOf(
        await answer(
          api().PUT("/api/scaffolding/consultant", {
            params: { header: { "if-match": etag(version) } },
            body: fields as never,
          }),
        ),
      ),
    onSuccess: forget,
  });
}
