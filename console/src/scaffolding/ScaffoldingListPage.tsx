import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";

import { Badge } from "@/ui/Badge";
import { buttonClass } from "@/ui/Button";
import { TextInput } from "@/ui/Field";
import { Filters } from "@/ui/Filter";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { OriginBadge } from "./badges";
import { isKindName, keyOf, type KindName, kindOf, nameOf } from "./kinds";
import type { ScaffoldingRecord } from "./queries";
import { ScaffoldingTabs } from "./ScaffoldingTabs";
import type { ScaffoldingSearch } from "./search";
import { useDomainKey } from "./useDomain";
import { useRecords } from "./useRecords";

/** The records of one kind: built-in ones, and the reader's own. */
export function ScaffoldingListPage() {
  const { kind } = useParams({ from: "/scaffolding/$kind" });
  if (!isKindName(kind)) return <Empty title="There is no such kind of scaffolding" />;
  return <Records key={kind} kind={kind} />;
}

function Records({ kind }: { kind: KindName }) {
  const search = useSearch({ from: "/scaffolding/$kind" });
  const navigate = useNavigate({ from: "/scaffolding/$kind" });
  const { one, many } = kindOf(kind);
  // The union of the kinds' queries has no common type for `useQuery`; their records have.
  const records = useRecords(kind);
  const change = (next: ScaffoldingSearch) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <Page
      title={many}
      lead="What conversations are written from. Conversations that are written stay as they are."
      actions={
        <Link
          to="/scaffolding/$kind/$recordId"
          params={{ kind, recordId: "new" }}
          search={{ domain: search.domain }}
          className={buttonClass("primary")}
        >
          New {one}
        </Link>
      }
    >
      <ScaffoldingTabs />
      <Filters>
        <TextInput
          type="search"
          aria-label={`Search ${many.toLowerCase()}`}
          placeholder="Search by name or key"
          className="w-full sm:w-64"
          value={search.q ?? ""}
          onChange={(event) => change({ q: event.target.value || undefined })}
        />
        <label className="flex items-center gap-2 text-sm">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={search.all ?? false}
            onChange={(event) => change({ all: event.target.checked || undefined })}
          />
          Show deactivated ones too
        </label>
      </Filters>
      <List
        query={{ ...records, data: records.data?.filter((one) => matches(one, kind, search)) }}
        caption={many}
        head={
          <>
            <Th>Name</Th>
            {kind !== "templates" && <Th>Key</Th>}
            <Th>About</Th>
            <Th>Origin</Th>
            <Th>Changed</Th>
          </>
        }
        row={(record) => <RecordCells kind={kind} record={record} />}
        onShowAll={search.q || !search.all ? () => change({ q: undefined, all: true }) : undefined}
        none={<Empty title={`No ${one} yet`} />}
      />
    </Page>
  );
}

function matches(record: ScaffoldingRecord, kind: KindName, search: ScaffoldingSearch): boolean {
  if (record.is_active === false && !search.all) return false;
  const text = `${nameOf(record)} ${keyOf(record, kind)} ${kindOf(kind).about(record)}`;
  return text.toLowerCase().includes((search.q ?? "").trim().toLowerCase());
}

const RecordCells = ({ kind, record }: { kind: KindName; record: ScaffoldingRecord }) => (
  <>
    <Td className="min-w-48 font-medium">
      <Link
        to="/scaffolding/$kind/$recordId"
        params={{ kind, recordId: record.id }}
        search={{ domain: useDomainKey() }}
        className="hover:underline"
      >
        {nameOf(record)}
      </Link>
    </Td>
    {kind !== "templates" && <Td className="text-muted">{keyOf(record, kind)}</Td>}
    <Td className="min-w-44 text-muted">{kindOf(kind).about(record)}</Td>
    <Td>
      <span className="flex gap-1">
        <OriginBadge origin={record.origin} />
        {record.is_active === false && <Badge>deactivated</Badge>}
      </span>
    </Td>
    <Td className="text-muted">{record.updated_at ? <Time at={record.updated_at} /> : "never"}</Td>
  </>
);
