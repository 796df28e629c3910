import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { MakeTrainingFile } from "@/training-files/MakeTrainingFile";
import { Button, buttonClass } from "@/ui/Button";
import { counted, words } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { type Direction, SortTh, Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { ReviewBadge, Score } from "./badges";
import { BulkActions, NOTHING, type Selected } from "./BulkActions";
import { DownloadEdits } from "./DownloadEdits";
import { FilterBar } from "./FilterBar";
import { type ConversationRow, conversationListQuery } from "./queries";
import { bulkFilter, type ConversationSearch, isFiltered, SORTS } from "./search";

/** Conversations by filter, sorting and search, all of which the address holds. */
export function ConversationListPage() {
  const search = useSearch({ from: "/conversations" });
  const navigate = useNavigate({ from: "/conversations" });
  const list = useQuery(conversationListQuery(search));
  const rows = list.data?.conversations ?? [];
  const total = list.data?.total ?? rows.length;
  const [selected, setSelected] = useState<Selected>(NOTHING);
  const change = (next: Partial<ConversationSearch>) => {
    setSelected(NOTHING);
    void navigate({ search: (old) => ({ ...old, page: undefined, ...next }), replace: true });
  };
  const isSelected = ({ id }: ConversationRow) => selected === "all" || selected.has(id);
  const isWhole = rows.length > 0 && rows.every(isSelected);
  return (
    <Page
      title="Conversations"
      lead={list.data && counted(total, "conversation")}
      actions={(list.isPending || rows[0]) && <Actions first={rows[0]} search={search} />}
    >
      <FilterBar search={search} onChange={change} />
      <BulkActions
        selected={selected}
        filter={bulkFilter(search)}
        total={total}
        isWholePage={isWhole}
        onSelect={setSelected}
      />
      <List
        query={{ ...list, data: list.data && rows }}
        caption="Conversations"
        head={
          <Head
            search={search}
            isWhole={isWhole}
            onWhole={() => setSelected(isWhole ? NOTHING : new Set(rows.map((row) => row.id)))}
            onChange={change}
          />
        }
        row={(row) => (
          <ConversationCells
            row={row}
            search={search}
            isSelected={isSelected(row)}
            onToggle={() => setSelected(toggled(selected, row.id, rows))}
          />
        )}
        onShowAll={isFiltered(search) ? () => void navigate({ search: {} }) : undefined}
        none={<NoConversation />}
      />
      {list.data && (list.data.totalPages ?? 1) > 1 && (
        <Pages
          page={search.page ?? 1}
          of={list.data.totalPages ?? 1}
          onChange={(page) => change({ page: page > 1 ? page : undefined })}
        />
      )}
    </Page>
  );
}

/** A selection with one conversation put in or taken out; of all, the rest of the page stays. */
function toggled(selected: Selected, id: string, rows: readonly ConversationRow[]): Selected {
  const next = new Set(selected === "all" ? rows.map((row) => row.id) : selected);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** While the list is read they are there already, so that nothing moves when it comes. */
const Actions = ({ first, search }: { first?: ConversationRow; search: ConversationSearch }) => (
  <>
    <MakeTrainingFile label="Training file of these" selection={{ filter: bulkFilter(search) }} />
    <DownloadEdits filter={bulkFilter(search)} />
    <Link to="/conversations/duplicates" search={search} className={buttonClass("plain")}>
      Find duplicates
    </Link>
    {first ? (
      <Link
        to="/conversations/$conversationId"
        params={{ conversationId: first.id }}
        search={search}
        className={buttonClass("primary")}
      >
        Review these
      </Link>
    ) : (
      <Button kind="primary" disabled>
        Review these
      </Button>
    )}
  </>
);

const NoConversation = () => (
  <Empty title="No conversation yet">
    <p className="text-muted">
      A batch writes them, from the personas, arcs and topics you choose.
    </p>
    <Link to="/batches/new" className={buttonClass("primary")}>
      New batch
    </Link>
  </Empty>
);

/** The cells of one conversation. */
const ConversationCells = ({
  row,
  search,
  isSelected,
  onToggle,
}: {
  row: ConversationRow;
  search: ConversationSearch;
  isSelected: boolean;
  onToggle: () => void;
}) => (
  <>
    <Td>
      <input
        type="checkbox"
        aria-label={`Select ${row.conversation_name}`}
        checked={isSelected}
        onChange={onToggle}
      />
    </Td>
    <Td className="min-w-48 font-medium">
      <Link
        to="/conversations/$conversationId"
        params={{ conversationId: row.id }}
        search={search}
        className="hover:underline"
      >
        {row.conversation_name}
      </Link>
    </Td>
    <Td>
      <div className="whitespace-nowrap">{words(row.persona_key)}</div>
      <div className="text-xs text-muted">
        {words(row.emotional_arc_key)} · {words(row.training_topic_key)}
      </div>
    </Td>
    <Td className="whitespace-nowrap">{words(row.tier)}</Td>
    <Td>
      <Score value={row.quality_score} />
    </Td>
    <Td className="text-muted">{row.flags.length || ""}</Td>
    <Td>
      <ReviewBadge status={row.status} />
    </Td>
    <Td right>{row.turn_count}</Td>
    <Td className="text-muted">
      <Time at={row.created_at} />
    </Td>
    <Td className="text-muted">
      <Time at={row.updated_at} />
    </Td>
  </>
);

/** The heads of the columns; those that the API sorts by are buttons. */
function Head({
  search,
  isWhole,
  onWhole,
  onChange,
}: {
  search: ConversationSearch;
  isWhole: boolean;
  onWhole: () => void;
  onChange: (next: Partial<ConversationSearch>) => void;
}) {
  const current = search.sort ?? "created_at";
  const sorted = (sort: (typeof SORTS)[number]) => ({
    direction: sort === current ? ORDERS[search.asc ? "asc" : "desc"] : undefined,
    onSort: (direction: Direction) =>
      onChange({
        sort: sort === "created_at" ? undefined : sort,
        asc: direction === "ascending" || undefined,
      }),
  });
  return (
    <>
      <Th>
        <input
          type="checkbox"
          aria-label="Select all on this page"
          checked={isWhole}
          onChange={onWhole}
        />
      </Th>
      <Th>Title</Th>
      <Th>Persona, arc, topic</Th>
      <Th>Tier</Th>
      <SortTh {...sorted("quality_score")}>Score</SortTh>
      <Th>Flags</Th>
      <Th>Status</Th>
      <SortTh right {...sorted("turn_count")}>
        Turns
      </SortTh>
      <SortTh {...sorted("created_at")}>Written</SortTh>
      <SortTh {...sorted("updated_at")}>Changed</SortTh>
    </>
  );
}

const ORDERS = { asc: "ascending", desc: "descending" } as const;

const Pages = ({
  page,
  of,
  onChange,
}: {
  page: number;
  of: number;
  onChange: (page: number) => void;
}) => (
  <nav aria-label="Pages" className="flex items-center justify-center gap-3 text-sm">
    <Button disabled={page <= 1} onClick={() => onChange(page - 1)}>
      Previous
    </Button>
    <span className="tabular-nums">
      Page {page} of {of}
    </span>
    <Button disabled={page >= of} onClick={() => onChange(page + 1)}>
      Next
    </Button>
  </nav>
);
