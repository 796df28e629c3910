import { expect, test } from "vitest";

import { apiQuery, readCostSearch } from "./search";

test("a period is kept and days beside it are dropped, because the API takes one of them", () => {
  expect(readCostSearch({ period: "year", from: "2026-01-01" })).toEqual({ period: "year" });
});

test("what is no day and no period is left out", () => {
  expect(readCostSearch({ period: "century", from: "2026-13-45", to: "today" })).toEqual({
    from: undefined,
    to: undefined,
  });
});

test("days go to the API under its names", () => {
  const search = readCostSearch({ from: "2026-01-01", to: "2026-01-31" });
  expect(apiQuery(search)).toEqual({
    period: undefined,
    start_date: "2026-01-01",
    end_date: "2026-01-31",
  });
});
