import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

/**
 * A mutation that spends. `send` is given an Idempotency-Key, which stays the same while the same
 * order is repeated, as after a lost answer, so that nothing is ordered twice. Once an order is
 * accepted its key is forgotten: the same order again is meant as another one.
 */
export function useOrder<Order, Accepted>(
  send: (order: Order, idempotencyKey: string) => Promise<Accepted>,
  onSettled: () => Promise<void>,
) {
  const [keyOf] = useState(idempotencyKeys);
  return useMutation({
    mutationFn: async (order: Order) => {
      const accepted = await send(order, keyOf(order));
      keyOf(null);
      return accepted;
    },
    onSettled,
  });
}

/** Gives the same key for the same order, and a new one for another; null is no order. */
export function idempotencyKeys(): (order: unknown) => string {
  let last = { order: "", key: "" };
  return (order) => {
    const text = JSON.stringify(order);
    if (last.order !== text) last = { order: text, key: crypto.randomUUID() };
    return last.key;
  };
}
