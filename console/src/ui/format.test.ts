import { expect, test } from "vitest";

import {
  bytes,
  counted,
  day,
  duration,
  localMinute,
  relative,
  significant,
  usd,
  words,
} from "./format";

test.each([
  [0, "$0.00"],
  [0.0252, "$0.0252"],
  [12.3, "$12.30"],
  [1234.5, "$1,234.50"],
])("%d dollars are %s", (value, shown) => {
  expect(usd(value)).toBe(shown);
});

test.each([
  [0.4, "0 s"],
  [59, "59 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 5 min"],
])("%d seconds are %s", (value, shown) => {
  expect(duration(value)).toBe(shown);
});

test("a count agrees with its noun", () => {
  expect(counted(1, "conversation")).toBe("1 conversation");
  expect(counted(1200, "conversation")).toBe("1,200 conversations");
});

test("a timestamp is told by its largest unit", () => {
  const now = Date.parse("2026-11-29T12:00:00Z");
  expect(relative("2026-11-29T10:00:00Z", now)).toBe("2 hours ago");
  expect(relative("2026-11-28T12:00:00Z", now)).toBe("yesterday");
  expect(relative("2026-11-29T11:59:30Z", now)).toBe("now");
});

test("a code of the API is shown in words", () => {
  expect(words("pending_review")).toBe("pending review");
});

test("small numbers are told by their power of ten, others by their first digits", () => {
  expect(significant(0.00005)).toBe("5e-5");
  expect(significant(4.277569e-6)).toBe("4.27e-6");
  expect(significant(9.860787, 4)).toBe("9.861");
  expect(significant(0)).toBe("0");
});

test("sizes are told in the unit that leaves one to three digits", () => {
  expect(bytes(0)).toBe("0 B");
  expect(bytes(216_595)).toBe("217 kB");
  expect(bytes(6.6e9)).toBe("6.6 GB");
});

test("a day of the API is the same day everywhere", () => {
  expect(day("2026-11-29")).toBe("Nov 29, 2026");
});

test("a timestamp is the same minute of the browser's time zone in an input and back", () => {
  const iso = "2026-12-01T18:05:00.000Z";
  expect(localMinute(iso)).toMatch(/^2026-1[12]-\d\dT\d\d:[03]5$/);
  expect(new Date(localMinute(iso)).toISOString()).toBe(iso);
});
