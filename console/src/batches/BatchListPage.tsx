import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { buttonClass } from "@/ui/Button";
import { count, usd } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { type Batch, batchListQuery } from "./queries";
import { StateBar } from "./StateBar";
import { StatusBadge } from "./status";

/** All batches, newest first. */
export function BatchListPage() {
  const order = (
    <Link to="/batches/new" className={buttonClass("primary")}>
      New batch
    </Link>
  );
  return (
    <Page title="Batches" actions={order}>
      <List
        query={useInfiniteQuery(batchListQuery())}
        caption="Batches"
        head={
          <>
            <Th>Name</Th>
            <Th>Status</Th>
            <Th>Progress</Th>
            <Th right>Items</Th>
            <Th right>Cost</Th>
            <Th>Model</Th>
            <Th>Ordered</Th>
          </>
        }
        row={(job) => <BatchCells job={job} />}
        none={
          <Empty title="No batch yet">
            <p className="text-muted">
              A batch writes one conversation for every persona, arc and topic that you choose.
            </p>
            {order}
          </Empty>
        }
      />
    </Page>
  );
}

const BatchCells = ({ job }: { job: Batch }) => (
  <>
    <Td className="font-medium">
      <Link to="/batches/$jobId" params={{ jobId: job.id }} className="hover:underline">
        {job.name}
      </Link>
    </Td>
    <Td>
      <StatusBadge status={job.status} line={job.statusLine} />
    </Td>
    <Td className="min-w-44">
      <StateBar
        successful={job.successfulItems}
        failed={job.failedItems}
        cancelled={job.cancelledItems}
        total={job.totalItems}
      />
    </Td>
    <Td right>{count(job.totalItems)}</Td>
    <Td right>{usd(job.costUsd)}</Td>
    <Td className="text-muted">{job.model}</Td>
    <Td className="text-muted">
      <Time at={job.createdAt} />
    </Td>
  </>
);
