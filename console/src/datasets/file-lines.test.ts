import { expect, test } from "vitest";

import { columnOf, excerptOf, readLines } from "./file-lines";

const read = (text: string, ...wanted: number[]) =>
  readLines(new Blob([text]), new Set(wanted)).then((found) => Object.fromEntries(found));

test("lines are found by their numbers, the last one without a line end too", async () => {
  expect(await read("one\ntwo\n\nfour", 2, 3, 4, 9)).toEqual({ 2: "two", 3: "", 4: "four" });
  expect(await read("one\n", 1, 2)).toEqual({ 1: "one" });
});

test("a line may come in pieces that break a letter apart", async () => {
  const bytes = new TextEncoder().encode("first\nzwölf\nlast");
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  expect([...(await readLines(stream, new Set([2, 3]))).values()]).toEqual(["zwölf", "last"]);
});

test("a packed file is unpacked", async () => {
  const packed = new Blob(["one\ntwo\n"]).stream().pipeThrough(new CompressionStream("gzip"));
  const blob = await new Response(packed).blob();
  expect([...(await readLines(blob, new Set([2]))).entries()]).toEqual([[2, "two"]]);
});

test("the letter of a column is marked with what stands around it", () => {
  expect(columnOf("This is not JSON (it ends here, column 4).")).toBe(4);
  expect(columnOf("The record has no answer.")).toBeNull();
  expect(excerptOf("äöü!x", 4, "")).toEqual({ before: "äöü", marked: "!", after: "x" });
  expect(excerptOf("ab", 3, "").marked).toBe("⏎");
  const long = excerptOf("x".repeat(500), 250, "");
  expect(long.before.length).toBe(91);
  expect(long.after.endsWith("…")).toBe(true);
});

test("the value of a pointer is marked, or the nearest one around what is missing", () => {
  const line = '{"messages": [{"role": "robot", "a/b": 1}]}';
  expect(excerptOf(line, null, "/messages/0/role")).toEqual({
    before: '"role": ',
    marked: '"robot"',
    after: "",
  });
  expect(excerptOf(line, null, "/messages/0/a~1b").before).toBe('"a/b": ');
  expect(excerptOf(line, null, "/messages/0/content").marked).toBe('{"role":"robot","a/b":1}');
});

test("of a line that is no JSON its beginning is shown", () => {
  expect(excerptOf("not json", null, "/messages").marked).toBe("not json");
});
