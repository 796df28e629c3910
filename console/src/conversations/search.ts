/** What a list of conversations shows, held in the address so that it can be kept and sent. */
import type { components, operations } from "@/api/schema";
import { isOn, number, oneOf, text } from "@/ui/address";

type Query = NonNullable<operations["list_conversations"]["parameters"]["query"]>;

export const STATUSES = ["pending_review", "approved", "rejected", "archived"] as const;
export const TIERS = ["template", "scenario", "edge_case"] as const;
export const SORTS = ["created_at", "quality_score", "turn_count", "updated_at"] as const;
export const PAGE_SIZE = 25;

export interface ConversationSearch {
  status?: (typeof STATUSES)[number];
  tier?: (typeof TIERS)[number];
  batch?: string;
  persona?: string;
  arc?: string;
  topic?: string;
  q?: string;
  min?: number;
  sort?: (typeof SORTS)[number];
  asc?: boolean;
  page?: number;
}

/** Read an address; what is no choice of ours is left out rather than sent to the API. */
export function readConversationSearch(raw: Record<string, unknown>): ConversationSearch {
  const page = number(raw.page, 1, 10_000);
  return {
    status: oneOf(raw.status, STATUSES),
    tier: oneOf(raw.tier, TIERS),
    batch: text(raw.batch),
    persona: text(raw.persona),
    arc: text(raw.arc),
    topic: text(raw.topic),
    q: text(raw.q),
    min: number(raw.min, 0, 5),
    sort: oneOf(raw.sort, SORTS),
    asc: isOn(raw.asc),
    page: page === undefined || page < 2 ? undefined : Math.floor(page),
  };
}

/** Among which conversations duplicates are looked for, and the pair that is shown. */
export type DuplicateSearch = ConversationSearch & { pair?: string };

export const readDuplicateSearch = (raw: Record<string, unknown>): DuplicateSearch => ({
  ...readConversationSearch(raw),
  pair: text(raw.pair),
});

/** What the list holds, in the API's names. */
const filterOf = (search: ConversationSearch) => ({
  status: search.status,
  tier: search.tier,
  batch_job_id: search.batch,
  persona_id: search.persona,
  emotional_arc_id: search.arc,
  training_topic_id: search.topic,
  search: search.q,
  quality_min: search.min,
});

/** The API's parameters of an address. */
export const apiQuery = (search: ConversationSearch): Query => ({
  ...filterOf(search),
  sortBy: search.sort,
  sortDirection: search.asc ? "asc" : "desc",
});

/** Whether an address leaves any conversation out. */
export const isFiltered = (search: ConversationSearch) =>
  Object.values(filterOf(search)).some((value) => value !== undefined);

/** The same filter for what is done with all its matches; the API refuses one that is empty. */
export function bulkFilter(search: ConversationSearch): components["schemas"]["BulkFilter"] {
  return isFiltered(search) ? filterOf(search) : { enrichment_status: "completed" };
}
