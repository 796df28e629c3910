/** The order of a new batch, held in the address, but for a pasted table, which may be long. */
import { isOn, oneOf, text, timestamp } from "@/ui/address";

export const PRIORITIES = ["low", "normal", "high"] as const;
export const LANES = ["realtime", "economy"] as const;
export const ON_ERROR = ["continue", "stop"] as const;
/** Calls to Claude at the same time: as many as an order may ask for, and does by itself. */
export const MOST_CALLS = 250;
export const USUAL_CALLS = 75;
/** The languages beside English, which the API names in its description. */
export const LANGUAGES =
  "ar cs da de el es fi fr he hi hu id it ja ko nl no pl pt ro sv th tr uk vi zh".split(" ");
const MOST_USD = 1_000_000;

/** Keys of chosen records, or all that are active. */
export type Choice = "all" | string[];

export interface NewBatchSearch {
  personas?: Choice;
  arcs?: Choice;
  topics?: Choice;
  /** Write the combinations of a pasted table instead of a selection. */
  table?: boolean;
  /** Fill the table with the combinations that have no conversation, as the coverage shows them. */
  gaps?: boolean;
  /** What the conversations are about, if not the default domain. */
  domain?: string;
  /** The code of the language that they are written in, if not English. */
  language?: string;
  name?: string;
  priority?: (typeof PRIORITIES)[number];
  /** Calls to Claude at the same time. */
  calls?: number;
  /** The most that the batch may spend, in US dollars. */
  cap?: number;
  onError?: (typeof ON_ERROR)[number];
  /** How the calls are made, and at which price. */
  lane?: (typeof LANES)[number];
  /** When the batch is to be done, in UTC, instead of a lane. */
  doneBy?: string;
  /** Take answers again that earlier batches paid for, where the request is the same. */
  reuse?: boolean;
  /** The batch that wrote a sample of this order. */
  sample?: string;
}

/** Answers can be reused where each call is made by itself, so in realtime only. */
export const canReuse = ({ lane, doneBy }: NewBatchSearch) =>
  lane !== "economy" && doneBy === undefined;

function choice(value: unknown): Choice | undefined {
  if (value === "all") return "all";
  if (!Array.isArray(value)) return undefined;
  const keys = value.filter((key): key is string => typeof key === "string");
  return keys.length > 0 ? keys : undefined;
}

/** Read an address; what is no choice of ours is left out. */
export function readNewBatchSearch(raw: Record<string, unknown>): NewBatchSearch {
  const calls = Math.floor(Number(raw.calls));
  const cap = Number(raw.cap);
  return {
    personas: choice(raw.personas),
    arcs: choice(raw.arcs),
    topics: choice(raw.topics),
    table: raw.table === true || raw.gaps === true || undefined,
    gaps: raw.gaps === true || undefined,
    domain: text(raw.domain, 100),
    language: oneOf(raw.language, LANGUAGES),
    name: text(raw.name, 200),
    priority: oneOf(raw.priority, PRIORITIES),
    calls: calls >= 1 && calls <= MOST_CALLS ? calls : undefined,
    cap: cap > 0 && cap <= MOST_USD ? cap : undefined,
    onError: oneOf(raw.onError, ON_ERROR),
    lane: oneOf(raw.lane, LANES),
    doneBy: timestamp(raw.doneBy),
    reuse: isOn(raw.reuse),
    sample: text(raw.sample, 100),
  };
}
