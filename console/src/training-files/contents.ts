/** Tiers and scores of a training.json, which its row does not count. */

/** What there is, the most frequent or the highest first, and how often. */
export type Counts = readonly (readonly [string, number])[];

export interface Contents {
  /** Conversations by quality tier. */
  tiers: Counts;
  /** Answers to train on by their score. */
  scores: Counts;
}

interface Document {
  conversations: {
    conversation_metadata: { quality_tier?: string };
    training_pairs: {
      target_response: string | null;
      training_metadata?: { quality_score?: number | null };
    }[];
  }[];
}

/** Counts by what there is, the most frequent first. */
export const byFrequency = (counts: Record<string, number>): Counts =>
  Object.entries(counts).sort(([, one], [, other]) => other - one);

/** Count a parsed training.json. */
export function contentsOf(document: unknown): Contents {
  const { conversations } = document as Document;
  const answers = conversations
    .flatMap((one) => one.training_pairs)
    .filter((pair) => pair.target_response !== null);
  return {
    tiers: byFrequency(
      counted(conversations.map((one) => one.conversation_metadata.quality_tier ?? "no tier")),
    ),
    scores: Object.entries(
      counted(answers.map((pair) => pair.training_metadata?.quality_score?.toFixed(1) ?? "none")),
    ).sort(([one], [other]) => (Number(other) || 0) - (Number(one) || 0)),
  };
}

function counted(names: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
