/** The body of an order, from what is chosen on the page of a new batch. */
import type { components } from "@/api/schema";
import { type Combination, spread, without } from "@/scaffolding/combinations";

import { canReuse, type Choice, type NewBatchSearch, USUAL_CALLS } from "./search";

export const SAMPLE_SIZE = 2;

type ParameterSet = components["schemas"]["RequestedSet"];
/** An order by a selection, or by a list of combinations. */
export interface BatchOrder {
  name: string;
  selection?: components["schemas"]["RequestedSelection"];
  parameterSets?: ParameterSet[];
  callsInFlight: number;
  maxCostUsd?: number;
  errorHandling: "stop" | "continue";
  priority: "low" | "normal" | "high";
  lane?: "realtime" | "economy";
  doneBy?: string;
  reuse?: true;
  domain?: string;
  language?: string;
}

const asIds = ({ persona, arc, topic }: Combination) => ({
  persona_id: persona,
  emotional_arc_id: arc,
  training_topic_id: topic,
});

const isChosen = (choice: Choice | undefined): choice is Choice =>
  choice !== undefined && choice.length > 0;

/**
 * The order of an address, or null while something is not chosen. `table` is what a pasted table
 * holds. `taken` is what a sample has written, which the rest leaves out.
 */
export function orderOf(
  search: NewBatchSearch,
  table: readonly Combination[],
  taken: readonly Combination[] = [],
): BatchOrder | null {
  const common = {
    name: search.name?.trim() || "Batch",
    callsInFlight: search.calls ?? USUAL_CALLS,
    ...(search.cap === undefined ? {} : { maxCostUsd: search.cap }),
    errorHandling: search.onError ?? "continue",
    priority: search.priority ?? "normal",
    ...(search.doneBy === undefined
      ? { lane: search.lane ?? "realtime" }
      : { doneBy: search.doneBy }),
    ...(search.reuse && canReuse(search) ? { reuse: true as const } : {}),
    ...(search.domain === undefined ? {} : { domain: search.domain }),
    ...(search.language === undefined ? {} : { language: search.language }),
  };
  if (search.table) {
    const sets = without(table, taken).map((one) => ({ parameters: asIds(one) }));
    return sets.length > 0 ? { ...common, parameterSets: sets } : null;
  }
  const { personas, arcs, topics } = search;
  if (!isChosen(personas) || !isChosen(arcs) || !isChosen(topics)) return null;
  const selection = { personas, emotional_arcs: arcs, training_topics: topics };
  const rest = taken.length > 0 ? { exclude: taken.map(asIds) } : {};
  return { ...common, selection: { ...selection, ...rest } };
}

/** The order of a few conversations of another order. */
export function sampleOf(order: BatchOrder): BatchOrder {
  const name = `${order.name} (sample)`;
  if (order.parameterSets) {
    return { ...order, name, parameterSets: spread(order.parameterSets, SAMPLE_SIZE) };
  }
  const selection = order.selection && { ...order.selection, sample: SAMPLE_SIZE };
  return { ...order, name, selection };
}
