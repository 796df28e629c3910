import type { QueryClient } from "@tanstack/react-query";

/** A list that only grows: the pages that were full when they were read, and what follows. */
interface Growing<T> {
  whole: T[];
  cursor: string | undefined;
  all: T[];
}

/** Read a growing list on from its last page, so that watching it does not read it all again. */
export async function readOn<T>(
  client: QueryClient,
  queryKey: readonly unknown[],
  read: (cursor: string | undefined) => Promise<{ records: T[]; next: string | null }>,
): Promise<Growing<T>> {
  const known = client.getQueryData<Growing<T>>(queryKey);
  let whole = known?.whole ?? [];
  let cursor = known?.cursor;
  for (;;) {
    const { records, next } = await read(cursor);
    if (next === null) return { whole, cursor, all: [...whole, ...records] };
    whole = [...whole, ...records];
    cursor = next;
  }
}
