import { expect, test } from "vitest";

import { callFilter, failureFilter, readCallSearch, readFailureSearch } from "./search";

test("an address is read back as it was written, in the API's names", () => {
  const search = { type: "truncation", stop: "max_tokens", batch: "b", from: "2026-11-01" };
  expect(failureFilter(readFailureSearch(search))).toMatchObject({
    failure_type: "truncation",
    stop_reason: "max_tokens",
    run_id: "b",
    date_from: "2026-11-01",
  });
});

test("an address of calls is read back in the API's names too", () => {
  const search = { status: "timeout", kind: "judgement", model: "m", batch: "b", to: "2026-11-02" };
  expect(callFilter(readCallSearch(search))).toEqual({
    status: "timeout",
    kind: "judgement",
    model_used: "m",
    run_id: "b",
    date_from: undefined,
    date_to: "2026-11-02",
  });
});

test.each([
  ["a type that does not exist", { type: "boredom" }, "type"],
  ["a day that does not exist", { from: "2026-13-45" }, "from"],
  ["a time in the place of a day", { to: "2026-11-01T00:00:00Z" }, "to"],
  ["an empty pattern", { pattern: "" }, "pattern"],
])("%s is left out", (_, raw, name) => {
  expect(readFailureSearch(raw)).toHaveProperty(name, undefined);
});
