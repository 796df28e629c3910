import { Link } from "@tanstack/react-router";

import { count, words } from "@/ui/format";

const REASONS: Record<string, string> = {
  repeated: "selected twice",
  unknown: "no longer there",
  rejected: "rejected in review",
  archived: "archived",
  not_approved: "not approved",
  not_enriched: "not enriched yet",
  severe_flags: "with a severe flag that no reviewer approved",
  already_in_file: "in the file already",
  duplicates: "with the same text as another one",
};

type Examples = Record<string, unknown[]>;

/** How many conversations a file leaves out, by reason, with some of each if they are known. */
export const LeftOut = ({
  counts,
  examples = {},
}: {
  counts: Record<string, number>;
  examples?: Examples;
}) => (
  <ul className="list-disc pl-5 text-sm text-muted">
    {Object.entries(counts).map(([reason, left]) => (
      <li key={reason}>
        {count(left)} {REASONS[reason] ?? words(reason)}
        {idsOf(examples[reason]).map((id, at) => (
          <span key={id}>
            {at === 0 ? ": " : ", "}
            <Link
              to="/conversations/$conversationId"
              params={{ conversationId: id }}
              search={{}}
              className="text-accent hover:underline"
            >
              {id.slice(0, 8)}
            </Link>
          </span>
        ))}
      </li>
    ))}
  </ul>
);

const SHOWN = 5;

/** The conversations of examples, which are ids, or objects with an id and what was found. */
const idsOf = (examples: unknown[] = []): string[] =>
  examples
    .map((one) =>
      typeof one === "string" ? one : (one as { conversation_id?: string }).conversation_id,
    )
    .filter((id) => id !== undefined)
    .slice(0, SHOWN);
