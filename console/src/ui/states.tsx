import { useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { ApiProblem } from "@/api/problem";

import { Button } from "./Button";

/** Grey bars in the place of what is loading, so that nothing jumps when it comes. */
export const Skeleton = ({ rows = 6 }: { rows?: number }) => (
  <div role="status" aria-label="Loading" className="flex flex-col gap-3 p-4">
    {Array.from({ length: rows }, (_, row) => (
      <div key={row} className="h-5 animate-pulse rounded bg-raised" />
    ))}
  </div>
);

/** Nothing to show, and what to do next. */
export const Empty = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="flex flex-col items-center gap-3 px-6 py-16 text-center">
    <h2 className="text-lg font-medium">{title}</h2>
    {children}
  </div>
);

export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const isMissing = error instanceof ApiProblem && error.status === 404;
  return (
    <div role="alert" className="flex flex-col items-center gap-3 px-6 py-16 text-center">
      <h2 className="text-lg font-medium">
        {isMissing ? "Not found" : "This could not be loaded"}
      </h2>
      <p className="max-w-prose text-muted">{error.message}</p>
      {retry && !isMissing && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}

/** Show a query's result, or its loading or error state; trying again reads all that failed. */
export function Loaded<T>({
  query,
  rows,
  children,
}: {
  query: Pick<UseQueryResult<T>, "data" | "error">;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const queries = useQueryClient();
  if (query.data !== undefined) return children(query.data);
  if (!query.error) return <Skeleton rows={rows} />;
  const retry = () =>
    void queries.refetchQueries({
      type: "active",
      predicate: ({ state }) => state.status === "error",
    });
  return <Failure error={query.error} retry={retry} />;
}
