import { expect, test } from "vitest";

import { idempotencyKeys } from "./useOrder";

test("an order that is sent again keeps its key", () => {
  const keyOf = idempotencyKeys();
  expect(keyOf({ items: 2 })).toBe(keyOf({ items: 2 }));
});

test("another order has another key, and so has the first one after it", () => {
  const keyOf = idempotencyKeys();
  const first = keyOf({ items: 2 });
  expect(keyOf({ items: 3 })).not.toBe(first);
  expect(keyOf({ items: 2 })).not.toBe(first);
});
