import { expect, test } from "vitest";

import { contentsOf } from "./contents";

const pair = (score: number | null, answer: string | null = "Yes.") => ({
  target_response: answer,
  training_metadata: { quality_score: score },
});

test("tiers are counted by conversation, scores by answer that trains", () => {
  const document = {
    conversations: [
      { conversation_metadata: { quality_tier: "seed" }, training_pairs: [pair(4), pair(5)] },
      {
        conversation_metadata: { quality_tier: "production" },
        training_pairs: [pair(4), pair(3, null), pair(null)],
      },
      { conversation_metadata: { quality_tier: "production" }, training_pairs: [pair(4.5)] },
    ],
  };
  expect(contentsOf(document)).toEqual({
    tiers: [
      ["production", 2],
      ["seed", 1],
    ],
    scores: [
      ["5.0", 1],
      ["4.5", 1],
      ["4.0", 2],
      ["none", 1],
    ],
  });
});
