import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { Badge } from "@/ui/Badge";
import { ChoiceFilter, DayFilters, Filters, LinkedFilters } from "@/ui/Filter";
import { words } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { GenerationTabs } from "./GenerationTabs";
import { type Failure, failureListQuery } from "./queries";
import { FAILURE_TYPES, type FailureSearch, STOP_REASONS } from "./search";

/** Items that ended without a conversation, newest first, each with its report. */
export function FailureListPage() {
  const search = useSearch({ from: "/generation-log/failures" });
  const navigate = useNavigate({ from: "/generation-log/failures" });
  const isFiltered = Object.values(search).some((value) => value !== undefined);
  const change = (next: FailureSearch) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <Page
      title="Failed generations"
      lead="What ended without a conversation. A batch's page writes its failed ones again."
    >
      <GenerationTabs />
      <Filters>
        <ChoiceFilter
          label="Kind of failure"
          any="Any kind"
          choices={FAILURE_TYPES}
          value={search.type}
          onChange={(type) => change({ type })}
        />
        <ChoiceFilter
          label="Why Claude stopped"
          any="Any stop reason"
          choices={STOP_REASONS}
          value={search.stop}
          onChange={(stop) => change({ stop })}
        />
        <DayFilters from={search.from} to={search.to} onChange={change} />
        <LinkedFilters
          names={["batch", "pattern"]}
          search={search}
          onClear={(name) => change({ [name]: undefined })}
        />
      </Filters>
      <List
        query={useInfiniteQuery(failureListQuery(search))}
        caption="Failed generations"
        head={HEAD}
        row={(failure) => <FailureCells failure={failure} />}
        onShowAll={isFiltered ? () => void navigate({ search: {} }) : undefined}
        none={
          <Empty title="Nothing has failed">
            <p className="text-muted">
              When Claude refuses, breaks off or breaks the rules of a conversation, the reason and
              the whole answer are kept here.
            </p>
          </Empty>
        }
      />
    </Page>
  );
}

const HEAD = (
  <>
    <Th>When</Th>
    <Th>Kind</Th>
    <Th>Reason</Th>
    <Th>Stopped by</Th>
    <Th>Pattern</Th>
    <Th>Batch</Th>
  </>
);

const FailureCells = ({ failure }: { failure: Failure }) => (
  <>
    <Td className="text-muted">
      <Time at={failure.created_at} />
    </Td>
    <Td>
      <Badge tone="bad">{words(failure.failure_type)}</Badge>
    </Td>
    <Td className="min-w-56 font-medium">
      <Link
        to="/generation-log/failures/$failureId"
        params={{ failureId: failure.id }}
        className="hover:underline"
      >
        {failure.error_message}
      </Link>
    </Td>
    <Td className="text-muted">{words(failure.stop_reason ?? "")}</Td>
    <Td>
      {failure.truncation_pattern && (
        <Link
          from="/generation-log/failures"
          to="/generation-log/failures"
          search={(old) => ({ ...old, pattern: failure.truncation_pattern ?? undefined })}
          className="text-accent hover:underline"
        >
          {words(failure.truncation_pattern)}
        </Link>
      )}
    </Td>
    <Td>
      <Link
        to="/batches/$jobId"
        params={{ jobId: failure.run_id }}
        className="text-accent hover:underline"
      >
        Open
      </Link>
    </Td>
  </>
);
