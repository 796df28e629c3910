import { expect, test } from "vitest";

import { pauseMs } from "./pause";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test.each([
  ["2026-11-30T11:59:30Z", 15_000],
  ["2026-11-30T11:55:00Z", 30_000],
  ["2026-11-29T12:00:00Z", 60_000],
  [undefined, 60_000],
])("the newest one of %s is followed by a pause of %i ms", (newest, pause) =>
  expect(pauseMs(newest, NOW)).toBe(pause),
);
