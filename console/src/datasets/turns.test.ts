import { expect, test } from "vitest";

import { turnsOf } from "./turns";

test("turns are told by the names of either chat format", () => {
  expect(turnsOf([{ role: "user", content: "Hello" }])).toEqual([{ role: "user", text: "Hello" }]);
  expect(turnsOf([{ from: "gpt", value: "Hi" }])).toEqual([{ role: "gpt", text: "Hi" }]);
});

test.each([[[]], ["text"], [[{ role: "user" }]], [[null]], [[{ role: 1, content: "x" }]]])(
  "%j is no list of turns",
  (value) => {
    expect(turnsOf(value)).toBeNull();
  },
);
