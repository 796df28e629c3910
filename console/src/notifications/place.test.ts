import { expect, test } from "vitest";

import { placeOf } from "./place";

test.each(["/training/jobs/01a2-b", "/models/01a2", "/datasets/01a2"])(
  "the page of %s is one of ours",
  (path) => expect(placeOf(path)).toBe(path),
);

test.each(["//evil.example/models/1", "https://evil.example", "/models/../batches", ""])(
  "%j leads to the list instead",
  (path) => expect(placeOf(path)).toBe("/notifications"),
);
