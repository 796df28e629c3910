import { ChoiceFilter, Filters, LinkedFilters } from "@/ui/Filter";
import { SearchBox } from "@/ui/SearchBox";

import { type ConversationSearch, STATUSES, TIERS } from "./search";

const SCORES = ["2", "3", "3.5", "4", "4.5"] as const;

/** The controls that write the address's filters; the heads of the table sort. */
export const FilterBar = ({
  search,
  onChange,
}: {
  search: ConversationSearch;
  onChange: (next: Partial<ConversationSearch>) => void;
}) => (
  <Filters>
    <SearchBox
      label="Search in titles"
      value={search.q ?? ""}
      onChange={(q) => onChange({ q: q || undefined })}
    />
    <ChoiceFilter
      label="Status"
      any="Any status"
      choices={STATUSES}
      value={search.status}
      onChange={(status) => onChange({ status })}
    />
    <ChoiceFilter
      label="Tier"
      any="Any tier"
      choices={TIERS}
      value={search.tier}
      onChange={(tier) => onChange({ tier })}
    />
    <ChoiceFilter
      label="Least score"
      any="Any score"
      choices={SCORES}
      nameOf={(score) => `${score} and above`}
      value={SCORES.find((score) => Number(score) === search.min)}
      onChange={(score) => onChange({ min: score === undefined ? undefined : Number(score) })}
    />
    <LinkedFilters
      names={["batch", "persona", "arc", "topic"]}
      search={search}
      onClear={(name) => onChange({ [name]: undefined })}
    />
  </Filters>
);
