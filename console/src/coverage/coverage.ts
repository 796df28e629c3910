/** How many conversations each combination of persona, arc and topic has, and which have none. */
import { type Combination, identity } from "@/scaffolding/combinations";
import { type DomainSearch, readDomainSearch } from "@/scaffolding/search";
import { oneOf, text } from "@/ui/address";

/**
 * `written` counts conversations that can be used: rejected and archived ones are not among them,
 * approved ones are. `planned` counts items of batches that wait or run.
 */
export interface Counts {
  planned: number;
  written: number;
  approved: number;
}
export type Measure = keyof Counts;
export const MEASURES = ["written", "approved", "planned"] as const satisfies Measure[];

const NONE: Counts = { planned: 0, written: 0, approved: 0 };

interface Counted {
  persona_key: string;
  emotional_arc_key: string;
  training_topic_key: string;
}

const combinationOf = (one: Counted): Combination => ({
  persona: one.persona_key,
  arc: one.emotional_arc_key,
  topic: one.training_topic_key,
});

/** Counts by combination, from the API's counts of conversations and of what will be written. */
export class Coverage {
  private readonly counts = new Map<string, Counts>();

  constructor(
    conversations: readonly (Counted & { by_status: Record<string, number> })[],
    planned: readonly (Counted & { planned: number })[],
  ) {
    for (const one of conversations) {
      const approved = one.by_status.approved ?? 0;
      const written = approved + (one.by_status.pending_review ?? 0);
      this.counts.set(identity(combinationOf(one)), { ...NONE, written, approved });
    }
    for (const one of planned) {
      const key = identity(combinationOf(one));
      const before = this.counts.get(key) ?? NONE;
      this.counts.set(key, { ...before, planned: one.planned });
    }
  }

  of(combination: Combination): Counts {
    return this.counts.get(identity(combination)) ?? NONE;
  }

  /** The combinations that are neither written nor about to be, personas outermost. */
  gaps(
    personas: readonly string[],
    arcs: readonly string[],
    topics: readonly string[],
  ): Combination[] {
    return personas.flatMap((persona) =>
      arcs.flatMap((arc) =>
        topics
          .map((topic) => ({ persona, arc, topic }))
          .filter((one) => this.of(one).written + this.of(one).planned === 0),
      ),
    );
  }
}

/** Which part of the table is shown, held in the address. */
export interface CoverageSearch extends DomainSearch {
  persona?: string;
  arc?: string;
  show?: Measure;
}

export const readCoverageSearch = (raw: Record<string, unknown>): CoverageSearch => ({
  ...readDomainSearch(raw),
  persona: text(raw.persona),
  arc: text(raw.arc),
  show: oneOf(raw.show, MEASURES),
});

/** How dark a cell is: 0 for none, 1 to 3 for one, two and more. */
export const shade = (value: number) => Math.min(3, Math.max(0, value));
