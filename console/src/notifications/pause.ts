const SHORTEST_MS = 15_000;
const LONGEST_MS = 60_000;

/**
 * How long the bell waits before it asks again: the longer ago the newest notification is, the
 * longer, since they come in groups, as trainings and uploads do. A tab that is looked at again
 * asks at once.
 */
export function pauseMs(newest: string | undefined, now: number = Date.now()): number {
  const age = newest === undefined ? Infinity : now - Date.parse(newest);
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, age / 10));
}
