import { expect, test } from "vitest";

import { apiQuery, bulkFilter, readConversationSearch } from "./search";

test("an address is read back as it was written", () => {
  const search = {
    status: "approved",
    tier: "scenario",
    q: "roth",
    min: 3.5,
    sort: "quality_score",
    asc: true,
    page: 4,
  } as const;
  expect(readConversationSearch({ ...search })).toMatchObject(search);
});

test.each([
  ["a status that does not exist", { status: "lost" }, "status"],
  ["an order that does not exist", { sort: "mood" }, "sort"],
  ["a page that is no number", { page: "two" }, "page"],
  ["the first page, which is the default", { page: 1 }, "page"],
  ["an empty search", { q: "" }, "q"],
])("%s is left out", (_, raw, name) => {
  expect(readConversationSearch(raw)).toHaveProperty(name, undefined);
});

test("a score outside the scale is brought into it", () => {
  expect(readConversationSearch({ min: 9 }).min).toBe(5);
  expect(readConversationSearch({ min: "-1" }).min).toBe(0);
});

test("the API gets its own names", () => {
  expect(apiQuery({ batch: "b", arc: "a", q: "roth", min: 4, asc: true })).toMatchObject({
    batch_job_id: "b",
    emotional_arc_id: "a",
    search: "roth",
    quality_min: 4,
    sortDirection: "asc",
  });
});

test("a filter for all matches has what the list has, and is never empty", () => {
  expect(bulkFilter({ status: "approved", q: "roth", sort: "turn_count", page: 2 })).toMatchObject({
    status: "approved",
    search: "roth",
  });
  expect(bulkFilter({ page: 2 })).toEqual({ enrichment_status: "completed" });
});
