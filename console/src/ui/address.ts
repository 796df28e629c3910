/** Readers of the search parameters of an address, which anyone may have typed: what does not fit
 * is undefined, so that a page leaves it out rather than sends it to the API. */

/** One of the choices. */
export const oneOf = <T extends string>(value: unknown, choices: readonly T[]): T | undefined =>
  choices.find((choice) => choice === value);

/** A text of up to `most` characters; an empty one is none. */
export const text = (value: unknown, most = 200): string | undefined =>
  value === undefined || value === null || value === "" ? undefined : String(value).slice(0, most);

/** A number, brought into its range. */
export function number(value: unknown, least: number, most: number): number | undefined {
  const read = value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isFinite(read) ? Math.min(most, Math.max(least, read)) : undefined;
}

/** A day that exists, such as 2026-11-29. */
export function day(value: unknown): string | undefined {
  const read = text(value);
  const isDay = read !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(read);
  return isDay && !Number.isNaN(Date.parse(read)) ? read : undefined;
}

/** A timestamp in UTC, such as 2026-11-29T18:00:00.000Z. */
export function timestamp(value: unknown): string | undefined {
  const read = text(value);
  const isTimestamp = read !== undefined && /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(read);
  return isTimestamp && !Number.isNaN(Date.parse(read)) ? read : undefined;
}

/** A switch that is on. */
export const isOn = (value: unknown): true | undefined =>
  value === true || value === "true" || undefined;
