import { useQuery } from "@tanstack/react-query";

import { Figure, Figures } from "@/ui/Figure";
import { count, percent } from "@/ui/format";
import { Card } from "@/ui/Page";

import { diversityQuery } from "./queries";
import type { ConversationSearch } from "./search";

/** How much the conversations of a filter differ; nothing until it is measured. */
export function DiversityFigures({ search }: { search: ConversationSearch }) {
  const measured = useQuery(diversityQuery(search)).data;
  if (!measured) return null;
  const { diversity: found, matching } = measured;
  const opening = found.repeated_openings[0];
  return (
    <Card>
      <div className="p-4">
        <Figures>
          <Figure label="Measured">
            {count(found.conversations)} of {count(matching)}
          </Figure>
          <Figure label="Distinct pairs of words">{share(found.distinct_2)}</Figure>
          <Figure label="Repeated phrases" note="Eight words that an earlier one has too">
            {share(found.repeated_phrases)}
          </Figure>
          <Figure label="Compression ratio" note="Rises with repetition">
            {found.compression_ratio?.toFixed(2) ?? "–"}
          </Figure>
          <Figure label="Commonest opening" note={opening?.opening}>
            {count(opening?.conversations ?? 0)}
          </Figure>
        </Figures>
      </div>
    </Card>
  );
}

const share = (value: number | null) => (value === null ? "–" : percent(value));
