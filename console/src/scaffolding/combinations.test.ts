import { expect, test } from "vitest";

import { readTable, spread, tableOf, without } from "./combinations";

const named = (key: string, isActive = true) => ({
  key,
  id: `id-${key}`,
  name: `The ${key}`,
  isActive,
});
const KNOWN = {
  personas: [named("planner"), named("avoider")],
  arcs: [named("fear")],
  topics: [named("roth"), named("old", false)],
};
const PLANNER = { persona: "planner", arc: "fear", topic: "roth" };

test.each([
  ["tabs", "planner\tfear\troth"],
  ["commas", "planner, fear, roth"],
  ["names and ids", "The Planner\tid-fear\troth"],
  ["a line of headings", "persona,arc,topic\nplanner,fear,roth"],
  ["quotes and blank lines", '\n"planner","fear","roth"\r\n\n'],
])("a table with %s is read", (_, text) => {
  expect(readTable(text, KNOWN)).toEqual({ combinations: [PLANNER], faults: [] });
});

test("every fault is named by its line, and the other lines are read", () => {
  const text = "planner\tfear\troth\nplanner\tjoy\troth\n\nplanner\tfear\nplanner\tfear\told";
  expect(readTable(text, KNOWN)).toEqual({
    combinations: [PLANNER],
    faults: [
      { line: 2, message: 'There is no arc "joy".' },
      { line: 4, message: "Expected a persona, an arc and a topic; found 2 of 3 cells." },
      { line: 5, message: 'The topic "old" is deactivated.' },
    ],
  });
});

test("a batch has a largest size", () => {
  const text = "planner\tfear\troth\n".repeat(10_001);
  expect(readTable(text, KNOWN).faults.map((fault) => fault.line)).toEqual([10_001]);
});

test("a table is read back as it was written", () => {
  const combinations = [PLANNER, { ...PLANNER, persona: "avoider" }, PLANNER];
  expect(readTable(tableOf(combinations), KNOWN).combinations).toEqual(combinations);
});

test("what a sample has taken is left out once for each time", () => {
  const avoider = { ...PLANNER, persona: "avoider" };
  expect(without([PLANNER, avoider, PLANNER], [PLANNER])).toEqual([avoider, PLANNER]);
});

test("a spread holds the first and the last, and no more than there is", () => {
  expect(spread([1, 2, 3, 4, 5], 2)).toEqual([1, 5]);
  expect(spread([1], 2)).toEqual([1]);
});
