import type { ReactNode } from "react";

/** A row of figures, each with its name above. */
export const Figures = ({ children }: { children: ReactNode }) => (
  <dl className="grid grid-cols-2 gap-4 text-sm sm:grid-cols-4">{children}</dl>
);

export const Figure = ({
  label,
  note,
  children,
}: {
  label: string;
  note?: ReactNode;
  children: ReactNode;
}) => (
  <div className="min-w-0">
    <dt className="text-xs text-muted">{label}</dt>
    <dd className="text-base font-medium break-words tabular-nums">{children}</dd>
    {note && <dd className="text-xs text-muted">{note}</dd>}
  </div>
);

/** Names and values below each other, such as a configuration. */
export const Facts = ({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) => (
  <dl className="grid grid-cols-[minmax(0,2fr)_minmax(0,3fr)] gap-x-4 gap-y-1.5 p-4 text-sm">
    {facts.map(([name, value]) => (
      <div key={name} className="contents">
        <dt className="break-words text-muted">{name}</dt>
        <dd className="min-w-0 break-words tabular-nums">{value}</dd>
      </div>
    ))}
  </dl>
);
