import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { count, counted, percent, words } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { DiversityFigures } from "./DiversityFigures";
import { type ConversationRow, duplicatesQuery, MOST_COMPARED, type Pair } from "./queries";
import type { DuplicateSearch } from "./search";
import { SideBySide } from "./SideBySide";

/** Conversations with the same text, among those that a filter selects, and two of them beside each other. */
export function DuplicatesPage() {
  const { pair: opened, ...search } = useSearch({ from: "/conversations/duplicates" });
  const navigate = useNavigate({ from: "/conversations/duplicates" });
  const found = useQuery(duplicatesQuery(search));
  const pairs = found.data?.pairs;
  const pair = pairs?.find((one) => one.id === opened);
  const open = (id: string | undefined) =>
    void navigate({ search: (old: DuplicateSearch) => ({ ...old, pair: id }), replace: true });
  return (
    <Page
      title="Duplicates"
      lead={found.data && summary(found.data)}
      actions={
        <>
          <Button disabled={found.isFetching} onClick={() => void found.refetch()}>
            Compare again
          </Button>
          <Link
            to="/conversations"
            search={search}
            className="self-center text-sm text-accent hover:underline"
          >
            List
          </Link>
        </>
      }
    >
      {found.data && found.data.compared > 0 && <DiversityFigures search={search} />}
      {pair && <SideBySide key={pair.id} pair={pair} onClose={() => open(undefined)} />}
      <List
        query={{ ...found, data: pairs }}
        caption="Duplicates"
        head={
          <>
            <Th right>Turns in common</Th>
            <Th>First</Th>
            <Th>Second</Th>
            <Th>
              <span className="sr-only">Compare</span>
            </Th>
          </>
        }
        row={(one) => <PairCells pair={one} isOpen={one.id === opened} onOpen={open} />}
        none={
          <Empty title="No two have the same text">
            <p className="max-w-prose text-muted">
              Conversations are duplicates if they share at least eight of ten turns, whatever their
              case and punctuation.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}

const summary = ({ compared, matching }: { compared: number; matching: number }) =>
  `${counted(compared, "conversation")} compared.` +
  (matching > MOST_COMPARED
    ? ` Only the first ${count(MOST_COMPARED)} of ${count(matching)} are: narrow the filter for others.`
    : "");

const PairCells = ({
  pair,
  isOpen,
  onOpen,
}: {
  pair: Pair;
  isOpen: boolean;
  onOpen: (id: string) => void;
}) => (
  <>
    <Td right>{pair.kind === "exact" ? <Badge tone="bad">all</Badge> : percent(pair.overlap)}</Td>
    <NameCell row={pair.first} />
    <NameCell row={pair.second} />
    <Td right>
      <Button
        kind="quiet"
        aria-pressed={isOpen}
        aria-label={`Compare ${pair.first.conversation_name} with ${pair.second.conversation_name}`}
        onClick={() => onOpen(pair.id)}
      >
        Compare
      </Button>
    </Td>
  </>
);

const NameCell = ({ row }: { row: ConversationRow }) => (
  <Td className="min-w-48">
    {row.conversation_name}
    <div className="text-xs text-muted">
      {words(row.emotional_arc_key)} · {words(row.training_topic_key)} ·{" "}
      <Time at={row.created_at} />
    </div>
  </Td>
);
