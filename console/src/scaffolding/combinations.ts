/** Combinations of a persona, an arc and a topic by their keys, as tables and lists. */
export interface Combination {
  persona: string;
  arc: string;
  topic: string;
}

/** The records that a table may name, each by its key, id or name. */
export interface Known {
  personas: readonly Named[];
  arcs: readonly Named[];
  topics: readonly Named[];
}
export interface Named {
  key: string;
  id: string;
  name: string;
  isActive: boolean;
}

export interface Fault {
  /** Counted from 1, as an editor shows it. */
  line: number;
  message: string;
}

/** Conversations of one batch at most, as the API allows. */
export const MOST_ITEMS = 10_000;
const HEADINGS = /^(persona|client)s?(_?(id|key))?$/i;
const KINDS = ["persona", "arc", "topic"] as const;

export const identity = ({ persona, arc, topic }: Combination) => `${persona}\t${arc}\t${topic}`;

function find(records: readonly Named[], text: string): Named | undefined {
  const wanted = text.toLowerCase();
  return records.find((one) =>
    [one.key, one.id, one.name].some((each) => each.toLowerCase() === wanted),
  );
}

/** Split a line at tabs, or where it has none at commas; quotes around a cell go. */
const cells = (line: string) =>
  line.split(line.includes("\t") ? "\t" : ",").map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));

/**
 * Read a pasted table of persona, arc and topic. A first line of headings and blank lines are
 * skipped; every line that names something unknown is a fault and gives no combination.
 */
export function readTable(
  text: string,
  known: Known,
): { combinations: Combination[]; faults: Fault[] } {
  const combinations: Combination[] = [];
  const faults: Fault[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    const parts = cells(line);
    if (index === 0 && HEADINGS.test(parts[0] ?? "")) return;
    const read = readLine(parts, known);
    if (typeof read === "string") faults.push({ line: index + 1, message: read });
    else combinations.push(read);
  });
  if (combinations.length > MOST_ITEMS) {
    faults.push({
      line: MOST_ITEMS + 1,
      message: `A batch holds at most ${MOST_ITEMS.toLocaleString()} conversations.`,
    });
  }
  return { combinations, faults };
}

/** One line's combination, or what is wrong with it. */
function readLine(parts: string[], known: Known): Combination | string {
  if (parts.length !== 3 || parts.includes("")) {
    return `Expected a persona, an arc and a topic; found ${parts.filter(Boolean).length} of 3 cells.`;
  }
  const places = [known.personas, known.arcs, known.topics];
  const found = parts.map((part, place) => find(places[place] ?? [], part));
  const missing = found.findIndex((record) => record === undefined);
  if (missing !== -1) return `There is no ${KINDS[missing]} "${parts[missing]}".`;
  const inactive = found.findIndex((record) => record?.isActive === false);
  if (inactive !== -1) return `The ${KINDS[inactive]} "${parts[inactive]}" is deactivated.`;
  const [persona, arc, topic] = found.map((record) => record?.key ?? "") as [
    string,
    string,
    string,
  ];
  return { persona, arc, topic };
}

/** Combinations as a table that `readTable` reads. */
export const tableOf = (combinations: readonly Combination[]) =>
  combinations.map(identity).join("\n");

/** A list without `taken`; what it holds twice stays once for each that was not taken. */
export function without(
  combinations: readonly Combination[],
  taken: readonly Combination[],
): Combination[] {
  const left = new Map<string, number>();
  for (const one of taken) left.set(identity(one), (left.get(identity(one)) ?? 0) + 1);
  return combinations.filter((one) => {
    const times = left.get(identity(one)) ?? 0;
    left.set(identity(one), times - 1);
    return times <= 0;
  });
}

/** `size` of a list, spread from its first to its last. */
export function spread<T>(list: readonly T[], size: number): T[] {
  if (list.length <= size) return [...list];
  const step = (list.length - 1) / Math.max(1, size - 1);
  return Array.from({ length: size }, (_, place) => list[Math.round(place * step)] as T);
}
