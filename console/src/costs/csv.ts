/** Cost records as a file for a spreadsheet. */
import { type CostRecord } from "./queries";

const COLUMNS = ["day", "kind", "job", "status", "amount_usd", "simulated", "job_id"] as const;
const FORMULA = /^[=+\-@\t\r]/;

/** Comma-separated values by RFC 4180. */
export function costsCsv(records: readonly CostRecord[]): string {
  const rows = records.map((record) => [
    record.billing_period,
    record.cost_type,
    String(record.details.job_name ?? ""),
    String(record.details.status ?? ""),
    record.amount.toFixed(6),
    record.simulated ? "yes" : "no",
    record.job_id,
  ]);
  return [[...COLUMNS], ...rows].map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** A name that begins like a formula is text to the spreadsheet that opens the file. */
function cell(value: string): string {
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
