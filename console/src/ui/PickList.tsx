import { useId, useState } from "react";

import { Button } from "./Button";
import { TextInput } from "./Field";
import { count } from "./format";

export interface Pick {
  key: string;
  label: string;
  /** Said below the label, and searched too. */
  about?: string;
  /** Picks of one group stand together under its name. */
  group?: string;
}

/**
 * Choose several of many: a search, and buttons that choose what it shows, or nothing of it. The
 * choice is a list of keys in the order of `picks`.
 */
export function PickList({
  title,
  picks,
  chosen,
  onChange,
  hint,
}: {
  title: string;
  picks: readonly Pick[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
  hint?: string;
}) {
  const [search, setSearch] = useState("");
  const id = useId();
  const wanted = search.trim().toLowerCase();
  const shown = picks.filter((pick) =>
    [pick.label, pick.key, pick.about, pick.group].join(" ").toLowerCase().includes(wanted),
  );
  const set = (keys: readonly string[], isChosen: boolean) => {
    const changed = new Set(keys);
    const kept = new Set(chosen.filter((key) => isChosen || !changed.has(key)));
    if (isChosen) for (const key of keys) kept.add(key);
    onChange(picks.map((pick) => pick.key).filter((key) => kept.has(key)));
  };
  const shownKeys = shown.map((pick) => pick.key);
  return (
    <fieldset className="flex min-w-0 flex-col rounded-lg border border-line bg-surface">
      <legend className="sr-only">{title}</legend>
      <div className="flex flex-col gap-2 border-b border-line p-3">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <span className="text-sm font-semibold" aria-hidden>
            {title}
          </span>
          <span className="text-xs text-muted tabular-nums" id={`${id}-count`}>
            {count(chosen.length)} of {count(picks.length)} chosen
          </span>
        </div>
        <TextInput
          type="search"
          aria-label={`Search ${title.toLowerCase()}`}
          placeholder="Search"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => set(shownKeys, true)}>
            {wanted ? `Select ${count(shown.length)} found` : "Select all"}
          </Button>
          <Button onClick={() => set(shownKeys, false)}>Select none</Button>
        </div>
        {hint && <p className="text-xs text-muted">{hint}</p>}
      </div>
      <div className="max-h-96 overflow-y-auto p-2">
        {shown.length === 0 && (
          <p className="p-2 text-sm text-muted">
            {picks.length === 0 ? "There are none yet." : `Nothing matches "${search}".`}
          </p>
        )}
        {groupsOf(shown).map(([group, members]) => (
          <div key={group}>
            {group && <p className="px-2 pt-2 pb-1 text-xs font-medium text-muted">{group}</p>}
            {members.map((pick) => (
              <label
                key={pick.key}
                className="flex items-start gap-2 rounded-md px-2 py-1.5 text-sm hover:bg-raised"
              >
                <input
                  type="checkbox"
                  className="mt-0.5 size-4 shrink-0 accent-accent"
                  checked={chosen.includes(pick.key)}
                  onChange={(event) => set([pick.key], event.target.checked)}
                />
                <span className="min-w-0 break-words">
                  {pick.label}
                  {pick.about && <span className="block text-xs text-muted">{pick.about}</span>}
                </span>
              </label>
            ))}
          </div>
        ))}
      </div>
    </fieldset>
  );
}

/** The picks under their groups, each in the order of its first pick. */
function groupsOf(picks: readonly Pick[]): [string, Pick[]][] {
  const groups = new Map<string, Pick[]>();
  for (const pick of picks) {
    const group = pick.group ?? "";
    groups.set(group, [...(groups.get(group) ?? []), pick]);
  }
  return [...groups];
}
