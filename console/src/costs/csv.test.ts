import { expect, test } from "vitest";

import { costsCsv } from "./csv";
import type { CostRecord } from "./queries";

const record = (jobName: string): CostRecord => ({
  id: "r",
  job_id: "j",
  cost_type: "writing",
  amount: 0.27243,
  billing_period: "2026-11-29",
  recorded_at: "2026-11-29T17:39:10.341Z",
  details: { job_name: jobName, status: "completed" },
  simulated: false,
});

test("a record is a line with every figure in full", () => {
  expect(costsCsv([record("Demo")])).toBe(
    "day,kind,job,status,amount_usd,simulated,job_id\r\n" +
      "2026-11-29,writing,Demo,completed,0.272430,no,j\r\n",
  );
});

test("commas, quotes and line breaks stay inside their cell", () => {
  expect(costsCsv([record('A, "b"\nc')])).toContain('writing,"A, ""b""\nc",completed');
});

test("a name that a spreadsheet would compute stays text", () => {
  expect(costsCsv([record('=HYPERLINK("x")')])).toContain(`"'=HYPERLINK(""x"")"`);
});
