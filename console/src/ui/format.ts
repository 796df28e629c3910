/** Numbers, money and times as people read them, in the browser's language. */

const money = new Intl.NumberFormat(undefined, { style: "currency", currency: "USD" });
const cents = new Intl.NumberFormat(undefined, {
  style: "currency",
  currency: "USD",
  maximumFractionDigits: 4,
});

/** Dollars: two decimals, or four below ten cents, where two would say nothing. */
export const usd = (value: number) =>
  value !== 0 && Math.abs(value) < 0.1 ? cents.format(value) : money.format(value);

/** A share from 0 to 1, as "85%". */
export const percent = (share: number) =>
  new Intl.NumberFormat(undefined, { style: "percent" }).format(share);

export const count = (value: number) => new Intl.NumberFormat().format(value);

/** "1 conversation", "12 conversations". */
export const counted = (value: number, one: string, many = `${one}s`) =>
  `${count(value)} ${value === 1 ? one : many}`;

/** Seconds as "45 s", "3 min 20 s" or "2 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** How long before or after `now` a timestamp is, as "2 hours ago". */
export function relative(iso: string, now: number = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  const words = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, length] of UNITS) {
    if (Math.abs(seconds) >= length) return words.format(Math.trunc(seconds / length), unit);
  }
  return words.format(0, "second");
}

export const exact = (iso: string) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }).format(
    new Date(iso),
  );

/** A timestamp in the browser's time zone to the minute, as its inputs take it: 2026-12-01T18:00. */
export function localMinute(iso: string): string {
  const time = new Date(iso);
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** A snake_case code of the API in words: "pending_review" is "pending review". */
export const words = (code: string) => code.replaceAll("_", " ");

/** The same as a label: "Pending review". */
export const label = (code: string) => words(code.charAt(0).toUpperCase() + code.slice(1));

/** A number with so many significant digits, very small ones as "5e-5". */
export const significant = (value: number, digits = 3) =>
  value !== 0 && Math.abs(value) < 0.001
    ? value.toExponential().replace(/(\.\d{2})\d*e/, "$1e")
    : new Intl.NumberFormat(undefined, { maximumSignificantDigits: digits }).format(value);

const SIZES = ["B", "kB", "MB", "GB", "TB"];

/** Bytes as "217 kB". */
export function bytes(value: number): string {
  const step = value < 1 ? 0 : Math.min(SIZES.length - 1, Math.floor(Math.log10(value) / 3));
  return `${significant(value / 1000 ** step)} ${SIZES[step]}`;
}

/** A day of the API, which counts days in UTC. */
export const day = (date: string) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" }).format(
    new Date(date),
  );
