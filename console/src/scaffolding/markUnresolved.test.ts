import { expect, test } from "vitest";

import { markUnresolved } from "./markUnresolved";

test("placeholders without a value are parts of their own", () => {
  expect(markUnresolved("Dear {{nmae}}, hello", ["nmae"])).toEqual([
    { text: "Dear " },
    { text: "{{nmae}}", name: "nmae" },
    { text: ", hello" },
  ]);
});

test("braces that came with a value are text", () => {
  expect(markUnresolved("He said {{this}}.", [])).toEqual([{ text: "He said {{this}}." }]);
});

test("a prompt may begin and end with one, or hold it twice", () => {
  expect(markUnresolved("{{a}}{{a}}", ["a"])).toEqual([
    { text: "{{a}}", name: "a" },
    { text: "{{a}}", name: "a" },
  ]);
});
