import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";

/** A table that scrolls sideways on narrow screens; its caption is for screen readers. */
export const Table = ({
  caption,
  head,
  children,
}: {
  caption: string;
  head: ReactNode;
  children: ReactNode;
}) => (
  <div className="relative overflow-x-auto" tabIndex={0} role="region" aria-label={caption}>
    <table className="w-full text-sm">
      <caption className="sr-only">{caption}</caption>
      <thead className="border-b border-line text-left text-xs text-muted">
        <tr>{head}</tr>
      </thead>
      <tbody className="divide-y divide-line">{children}</tbody>
    </table>
  </div>
);

export const Th = ({ children, right }: { children?: ReactNode; right?: boolean }) => (
  <th
    scope="col"
    className={`px-2.5 py-2 font-medium whitespace-nowrap ${right ? "text-right" : ""}`}
  >
    {children}
  </th>
);

export type Direction = "ascending" | "descending";

/** The head of a column that its list can be sorted by: pressing it again turns the order round. */
export function SortTh({
  children,
  right,
  direction,
  onSort,
}: {
  children: ReactNode;
  right?: boolean;
  /** How the list is sorted by this column; undefined while it is sorted by another. */
  direction: Direction | undefined;
  onSort: (direction: Direction) => void;
}) {
  const Arrow = direction === undefined ? ChevronsUpDown : ARROWS[direction];
  return (
    <th
      scope="col"
      aria-sort={direction}
      className={`px-2.5 py-2 font-medium whitespace-nowrap ${right ? "text-right" : ""}`}
    >
      <button
        type="button"
        className={`inline-flex items-center gap-1 rounded hover:text-ink ${direction ? "text-ink" : ""}`}
        onClick={() => onSort(direction === "descending" ? "ascending" : "descending")}
      >
        {children}
        <Arrow className="size-3.5" aria-hidden />
      </button>
    </th>
  );
}

const ARROWS = { ascending: ArrowUp, descending: ArrowDown } as const;

export const Td = ({
  children,
  right,
  className = "",
}: {
  children?: ReactNode;
  right?: boolean;
  className?: string;
}) => (
  <td className={`px-2.5 py-2 align-middle ${right ? "text-right tabular-nums" : ""} ${className}`}>
    {children}
  </td>
);
