/** Reading some lines of a file of up to 500 MB, and the place of a problem in one of them. */

const LINE_FEED = 10;
const GZIP = [0x1f, 0x8b];
/** Of a longer line only the beginning is kept. */
const LONGEST_LINE = 1_000_000;
const AROUND = 90;
const LONGEST_VALUE = 400;

/** Return these lines, numbered from 1, as far as the file has them; gzip is unpacked. */
export async function readLines(
  file: Blob | ReadableStream<Uint8Array<ArrayBuffer>>,
  wanted: ReadonlySet<number>,
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  const last = Math.max(0, ...wanted);
  let line = 1;
  let kept: Uint8Array[] = [];
  let length = 0;
  const keep = (piece: Uint8Array) => {
    if (!wanted.has(line) || length >= LONGEST_LINE) return;
    kept.push(piece.slice(0, LONGEST_LINE - length));
    length += piece.length;
  };
  const end = () => {
    if (wanted.has(line)) found.set(line, textOf(kept));
    kept = [];
    length = 0;
    line += 1;
  };

  const reader = (await unpacked(file)).getReader();
  let hasRest = false;
  while (line <= last) {
    const { done, value } = await reader.read();
    if (done) break;
    let start = 0;
    for (let at = value.indexOf(LINE_FEED); at >= 0; at = value.indexOf(LINE_FEED, start)) {
      keep(value.subarray(start, at));
      end();
      start = at + 1;
    }
    keep(value.subarray(start));
    hasRest = start < value.length || (start === 0 && hasRest);
  }
  if (line <= last && hasRest) end();
  void reader.cancel();
  return found;
}

async function unpacked(
  file: Blob | ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  if (!(file instanceof Blob)) return file;
  const head = new Uint8Array(await file.slice(0, GZIP.length).arrayBuffer());
  const isPacked = GZIP.every((byte, at) => head[at] === byte);
  return isPacked ? file.stream().pipeThrough(new DecompressionStream("gzip")) : file.stream();
}

const textOf = (pieces: Uint8Array[]) => {
  const decoder = new TextDecoder();
  return pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
};

/** A piece of a line: what the problem is about is `marked`. */
export interface Excerpt {
  before: string;
  marked: string;
  after: string;
}

/** The column that a message of the validation names, from 1. */
export const columnOf = (message: string): number | null => {
  const found = /\bcolumn (\d+)/.exec(message);
  return found ? Number(found[1]) : null;
};

/** The part of a line that a problem is about: around its column, or the value of its pointer. */
export function excerptOf(line: string, column: number | null, pointer: string): Excerpt {
  if (column !== null) return around(Array.from(line), column - 1);
  const value = pointer === "" ? undefined : valueAt(line, pointer);
  if (value === undefined) return cut("", line);
  const name = pointer.slice(pointer.lastIndexOf("/") + 1);
  return cut(/^\d+$/.test(name) ? "" : `"${unescape(name)}": `, JSON.stringify(value));
}

function around(letters: string[], at: number): Excerpt {
  const from = Math.max(0, at - AROUND);
  const to = Math.min(letters.length, at + 1 + AROUND);
  return {
    before: (from > 0 ? "…" : "") + letters.slice(from, at).join(""),
    // Where the line ends too early there is no letter to mark.
    marked: letters[at] ?? "⏎",
    after: letters.slice(at + 1, to).join("") + (to < letters.length ? "…" : ""),
  };
}

function cut(before: string, text: string): Excerpt {
  const letters = Array.from(text);
  const isLong = letters.length > LONGEST_VALUE;
  return {
    before,
    marked: letters.slice(0, LONGEST_VALUE).join(""),
    after: isLong ? "…" : "",
  };
}

const unescape = (name: string) => name.replaceAll("~1", "/").replaceAll("~0", "~");

/** The value that a JSON pointer names in a line, the nearest one around it if it is missing. */
function valueAt(line: string, pointer: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line.replace(/^\uFEFF/, ""));
  } catch {
    return undefined;
  }
  for (const name of pointer.split("/").slice(1).map(unescape)) {
    const inner =
      typeof value === "object" && value !== null
        ? (value as Record<string, unknown>)[name]
        : undefined;
    if (inner === undefined) return value;
    value = inner;
  }
  return value;
}
