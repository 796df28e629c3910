import { expect, test } from "vitest";

import type { UploadPlan } from "./queries";
import { sendFile, TransferError, type Put } from "./transfer";

const FILE = new Blob(["aaaabbbbcc"]);
const PART = 4;

/** A store of parts, which answers as it is told to before it accepts. */
class Store {
  readonly parts = new Map<string, string>();
  readonly plans: number[] = [];
  constructor(private readonly faults: Record<string, number[]> = {}) {}

  readonly put: Put = async (url, piece, onSent) => {
    onSent(piece.size);
    const status = this.faults[url.split("?")[0] as string]?.shift();
    if (status !== undefined) throw new TransferError(status);
    this.parts.set(url.split("?")[0] as string, await piece.text());
  };

  plan = (): UploadPlan => {
    this.plans.push(this.parts.size);
    const numbers = [1, 2, 3];
    return {
      method: "multipart",
      url: null,
      headers: {},
      part_size: PART,
      parts: numbers
        .filter((one) => !this.parts.has(`${one}`))
        .map((one) => ({ part_number: one, url: `${one}?${this.plans.length}` })),
      uploaded: numbers.filter((one) => this.parts.has(`${one}`)),
      expires_in_seconds: 3600,
    };
  };
}

async function send(store: Store, signal = new AbortController().signal) {
  const progress: number[] = [];
  await sendFile({
    file: FILE,
    plan: store.plan(),
    freshPlan: () => Promise.resolve(store.plan()),
    onProgress: (bytes) => progress.push(bytes),
    signal,
    put: store.put,
    wait: () => Promise.resolve(),
  });
  return progress;
}

test("every part arrives at its own link, and progress ends at the size", async () => {
  const store = new Store();
  const progress = await send(store);
  expect([...store.parts.entries()].sort()).toEqual([
    ["1", "aaaa"],
    ["2", "bbbb"],
    ["3", "cc"],
  ]);
  expect(progress.at(-1)).toBe(FILE.size);
});

test("what has arrived is not sent again", async () => {
  const store = new Store();
  store.parts.set("1", "aaaa");
  store.parts.set("3", "cc");
  const progress = await send(store);
  expect(store.parts.get("2")).toBe("bbbb");
  expect(progress[0]).toBe(6);
});

test.each([403, 0, 503])("after a %d the missing parts get fresh links", async (status) => {
  const store = new Store({ "2": [status] });
  await send(store);
  expect(store.parts.size).toBe(3);
  expect(store.plans.length).toBe(2);
});

test("what the store refuses for good is not repeated", async () => {
  const store = new Store({ "1": [400] });
  await expect(send(store)).rejects.toThrow("refused the file (400)");
  expect(store.plans.length).toBe(1);
});

test("a part that never arrives ends the upload", async () => {
  const store = new Store({ "1": Array.from({ length: 20 }, () => 500) });
  await expect(send(store)).rejects.toThrow("(500)");
  expect(store.plans.length).toBeLessThan(10);
});

test("a cancelled upload is not tried again", async () => {
  const cancel = new AbortController();
  const store = new Store({ "1": [0] });
  cancel.abort();
  await expect(send(store, cancel.signal)).rejects.toThrow();
  expect(store.plans.length).toBe(1);
});
