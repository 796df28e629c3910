import { X } from "lucide-react";
import type { ReactNode } from "react";

import { Button } from "./Button";
import { Select, TextInput } from "./Field";
import { words } from "./format";

/** The controls above a list that say which of its records are shown. */
export const Filters = ({ children }: { children: ReactNode }) => (
  <div role="search" className="flex flex-wrap items-center gap-2">
    {children}
  </div>
);

/** One of some values, or any. */
export const ChoiceFilter = <T extends string>({
  label,
  any,
  choices,
  value,
  onChange,
  nameOf = words,
}: {
  label: string;
  /** What stands there while all are shown. */
  any: string;
  choices: readonly T[];
  value: T | undefined;
  onChange: (value: T | undefined) => void;
  nameOf?: (choice: T) => string;
}) => (
  <Select
    aria-label={label}
    value={value ?? ""}
    onChange={({ target }) => onChange(choices.find((one) => one === target.value))}
  >
    <option value="">{any}</option>
    {choices.map((one) => (
      <option key={one} value={one}>
        {nameOf(one)}
      </option>
    ))}
  </Select>
);

/** The first and the last day of what is shown, in UTC; either may be open. */
export const DayFilters = ({
  from,
  to,
  onChange,
}: {
  from: string | undefined;
  to: string | undefined;
  onChange: (days: { from?: string; to?: string }) => void;
}) => (
  <>
    <DayFilter
      label="From"
      value={from}
      max={to}
      onChange={(value) => onChange({ from: value, to })}
    />
    <DayFilter
      label="to"
      value={to}
      min={from}
      onChange={(value) => onChange({ from, to: value })}
    />
  </>
);

const DayFilter = ({
  label,
  value,
  onChange,
  ...range
}: {
  label: string;
  value: string | undefined;
  min?: string;
  max?: string;
  onChange: (value: string | undefined) => void;
}) => (
  <label className="flex items-center gap-2 text-sm text-muted">
    {label}
    <TextInput
      type="date"
      className="w-40"
      value={value ?? ""}
      onChange={({ target }) => onChange(target.value || undefined)}
      {...range}
    />
  </label>
);

/** Filters that only a link sets, such as one batch: each can be taken away. */
export const LinkedFilters = <Name extends string>({
  names,
  search,
  onClear,
}: {
  names: readonly Name[];
  search: Partial<Record<Name, unknown>>;
  onClear: (name: Name) => void;
}) =>
  names
    .filter((name) => search[name] !== undefined)
    .map((name) => (
      <Button key={name} onClick={() => onClear(name)}>
        One {name} only
        <X className="size-3.5" aria-label="Remove this filter" />
      </Button>
    ));
