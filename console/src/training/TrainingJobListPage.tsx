import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { buttonClass } from "@/ui/Button";
import { ChoiceFilter, Filters } from "@/ui/Filter";
import { duration, usd } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { jobListQuery, type JobStatus, type TrainingJob } from "./queries";
import { JOB_STATUSES } from "./search";
import { JobStatusBadge, Progress } from "./status";

/** Training jobs, newest first, by status. */
export function TrainingJobListPage() {
  const { status } = useSearch({ from: "/training/jobs" });
  const navigate = useNavigate({ from: "/training/jobs" });
  const show = (next: JobStatus | undefined) =>
    void navigate({ search: { status: next }, replace: true });
  const order = (
    <Link to="/training/new" className={buttonClass("primary")}>
      New training
    </Link>
  );
  return (
    <Page title="Training" actions={order}>
      <Filters>
        <ChoiceFilter
          label="Status"
          any="Any status"
          choices={JOB_STATUSES}
          value={status}
          onChange={show}
        />
      </Filters>
      <List
        query={useInfiniteQuery(jobListQuery(status))}
        caption="Training jobs"
        head={HEAD}
        row={(job) => <JobCells job={job} />}
        onShowAll={status && (() => show(undefined))}
        none={
          <Empty title="No training yet">
            <p className="max-w-prose text-muted">
              A training fits an adapter of a base model to the conversations of a dataset. You see
              its price before you order it.
            </p>
            {order}
          </Empty>
        }
      />
    </Page>
  );
}

const HEAD = (
  <>
    <Th>Name</Th>
    <Th>Status</Th>
    <Th>Progress</Th>
    <Th>Base model</Th>
    <Th>Dataset</Th>
    <Th right>Cost</Th>
    <Th right>Took</Th>
    <Th>Ordered</Th>
  </>
);

const JobCells = ({ job }: { job: TrainingJob }) => (
  <>
    <Td className="font-medium">
      <Link to="/training/jobs/$jobId" params={{ jobId: job.id }} className="hover:underline">
        {job.name}
      </Link>
    </Td>
    <Td>
      <JobStatusBadge status={job.status} />
    </Td>
    <Td className="min-w-44">
      <Progress job={job} />
    </Td>
    <Td className="text-muted">{job.base_model}</Td>
    <Td className="text-muted">{job.dataset.name}</Td>
    <Td right>{usd(job.final_cost ?? job.current_cost)}</Td>
    <Td right className="whitespace-nowrap">
      {job.billed_seconds === null ? "" : duration(job.billed_seconds)}
    </Td>
    <Td className="text-muted">
      <Time at={job.queued_at} />
    </Td>
  </>
);
