import { expect, test } from "vitest";

import { Coverage, readCoverageSearch, shade } from "./coverage";

const row = (topic: string) => ({
  persona_key: "p",
  emotional_arc_key: "a",
  training_topic_key: topic,
});
const at = (topic: string) => ({ persona: "p", arc: "a", topic });

test("approved conversations are written ones, rejected and archived ones are not", () => {
  const counted = { ...row("t"), by_status: { approved: 2, pending_review: 1, rejected: 4 } };
  expect(new Coverage([counted], []).of(at("t"))).toEqual({ planned: 0, written: 3, approved: 2 });
});

test("items of running batches are planned", () => {
  expect(new Coverage([], [{ ...row("t"), planned: 2 }]).of(at("t")).planned).toBe(2);
});

test("gaps are neither written nor planned", () => {
  const written = { ...row("written"), by_status: { pending_review: 1 } };
  const rejected = { ...row("rejected"), by_status: { rejected: 1 } };
  const coverage = new Coverage([written, rejected], [{ ...row("planned"), planned: 1 }]);
  const topics = ["written", "rejected", "planned", "none"];
  expect(coverage.gaps(["p"], ["a"], topics)).toEqual([at("rejected"), at("none")]);
});

test("an address that names no measure shows the usual one", () => {
  expect(readCoverageSearch({ show: "beauty", arc: "a" })).toEqual({
    persona: undefined,
    arc: "a",
    show: undefined,
  });
});

test("shades stop at three", () => {
  expect([0, 1, 2, 3, 40].map(shade)).toEqual([0, 1, 2, 3, 3]);
});
