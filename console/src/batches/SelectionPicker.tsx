import { MOST_ITEMS } from "@/scaffolding/combinations";
import type { Choices } from "@/scaffolding/useChoices";
import { count, counted, words } from "@/ui/format";
import { PickList } from "@/ui/PickList";

import type { Choice, NewBatchSearch } from "./search";

/** Choose personas, arcs and topics; all of them together are "all", which later ones join. */
export function SelectionPicker({
  search,
  choices,
  onChange,
}: {
  search: NewBatchSearch;
  choices: Choices;
  onChange: (next: Partial<NewBatchSearch>) => void;
}) {
  const lists = [
    {
      name: "personas" as const,
      title: "Personas",
      picks: choices.personas.map((one) => ({ key: one.key, label: one.name, about: one.about })),
    },
    {
      name: "arcs" as const,
      title: "Emotional arcs",
      picks: [...choices.arcs]
        .sort((one, other) => (one.category ?? "").localeCompare(other.category ?? ""))
        .map((one) => ({
          key: one.key,
          label: one.name,
          group: one.category === "edge" ? "Edge cases" : "Core arcs",
        })),
    },
    {
      name: "topics" as const,
      title: "Topics",
      picks: choices.topics.map((one) => ({
        key: one.key,
        label: one.name,
        group: words(one.category),
      })),
    },
  ];
  const sizes = lists.map((list) => keysOf(search[list.name], list.picks).length);
  const [personas = 0, arcs = 0, topics = 0] = sizes;
  return (
    <>
      <div className="grid grid-cols-1 gap-4 md:grid-cols-3">
        {lists.map((list) => (
          <PickList
            key={list.name}
            title={list.title}
            picks={list.picks}
            chosen={keysOf(search[list.name], list.picks)}
            onChange={(keys) =>
              onChange({ [list.name]: keys.length === list.picks.length ? "all" : keys })
            }
          />
        ))}
      </div>
      <p className="text-sm text-muted" aria-live="polite">
        {counted(personas, "persona")} × {counted(arcs, "arc")} × {counted(topics, "topic")} ={" "}
        <strong className="font-semibold text-ink">
          {counted(personas * arcs * topics, "combination")}
        </strong>
        {personas * arcs * topics > MOST_ITEMS && ` A batch holds at most ${count(MOST_ITEMS)}.`}
      </p>
    </>
  );
}

const keysOf = (choice: Choice | undefined, picks: { key: string }[]): string[] =>
  choice === "all" ? picks.map((pick) => pick.key) : (choice ?? []);
