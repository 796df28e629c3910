import { expect, test } from "vitest";

import { orderOf, sampleOf } from "./order";
import { readNewBatchSearch } from "./search";

const CHOSEN = { personas: ["a", "b"], arcs: "all", topics: ["t"] } as const;
const search = (raw: object) => readNewBatchSearch({ ...raw });
const ONE = { persona: "a", arc: "x", topic: "t" };

test("nothing is ordered before personas, arcs and topics are chosen", () => {
  expect(orderOf(search({ ...CHOSEN, topics: [] }), [])).toBeNull();
  expect(orderOf(search({ table: true }), [])).toBeNull();
});

test("a selection is ordered with what the page leaves open", () => {
  expect(orderOf(search(CHOSEN), [])).toEqual({
    name: "Batch",
    selection: { personas: ["a", "b"], emotional_arcs: "all", training_topics: ["t"] },
    callsInFlight: 75,
    errorHandling: "continue",
    priority: "normal",
    lane: "realtime",
  });
});

test("a cap and a number of calls are ordered as they are chosen", () => {
  const order = orderOf(search({ ...CHOSEN, cap: 2.5, calls: 10 }), []);
  expect(order).toMatchObject({ maxCostUsd: 2.5, callsInFlight: 10 });
});

test("the economy lane is ordered where it is chosen, and nothing that is no lane", () => {
  expect(orderOf(search({ ...CHOSEN, lane: "economy" }), [])?.lane).toBe("economy");
  expect(orderOf(search({ ...CHOSEN, lane: "slow" }), [])?.lane).toBe("realtime");
});

test("a deadline is ordered instead of a lane, and nothing that is no timestamp", () => {
  const order = orderOf(
    search({ ...CHOSEN, lane: "economy", doneBy: "2026-12-01T18:00:00.000Z" }),
    [],
  );
  expect(order).toMatchObject({ doneBy: "2026-12-01T18:00:00.000Z" });
  expect(order).not.toHaveProperty("lane");
  expect(orderOf(search({ ...CHOSEN, doneBy: "2026-13-01T18:00:00Z" }), [])?.lane).toBe("realtime");
});

test("answers are reused where that is asked for, in the realtime lane only", () => {
  const chosen = { ...CHOSEN, reuse: true };
  expect(orderOf(search(chosen), [])).toMatchObject({ reuse: true });
  expect(orderOf(search({ ...chosen, lane: "economy" }), [])).not.toHaveProperty("reuse");
  const late = { ...chosen, doneBy: "2026-12-01T18:00:00.000Z" };
  expect(orderOf(search(late), [])).not.toHaveProperty("reuse");
});

test("a domain and a language are ordered where they are not the usual ones", () => {
  const order = orderOf(search({ ...CHOSEN, domain: "nursing_handover", language: "de" }), []);
  expect(order).toMatchObject({ domain: "nursing_handover", language: "de" });
  expect(orderOf(search({ ...CHOSEN, language: "tlh" }), [])).not.toHaveProperty("language");
});

test("the rest leaves out what a sample has written", () => {
  const excluded = { persona_id: "a", emotional_arc_id: "x", training_topic_id: "t" };
  expect(orderOf(search(CHOSEN), [], [ONE])?.selection?.exclude).toEqual([excluded]);
  expect(orderOf(search({ table: true }), [ONE, ONE], [ONE])?.parameterSets).toHaveLength(1);
});

test("a sample of a table holds its first and last", () => {
  const table = ["t", "u", "v"].map((topic) => ({ ...ONE, topic }));
  const order = orderOf(search({ table: true, name: "Gaps" }), table);
  const sample = order && sampleOf(order);
  expect(sample?.name).toBe("Gaps (sample)");
  expect(sample?.parameterSets?.map((set) => set.parameters?.training_topic_id)).toEqual([
    "t",
    "v",
  ]);
});

test.each([
  ["a number of calls out of range", { calls: 251 }, "calls"],
  ["a cap of nothing", { cap: 0 }, "cap"],
  ["a choice that is no list", { personas: "some" }, "personas"],
  ["a priority that does not exist", { priority: "urgent" }, "priority"],
])("%s is left out of the address", (_, raw, name) => {
  expect(search(raw)).toHaveProperty(name, undefined);
});
