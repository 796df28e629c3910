import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { Badge } from "@/ui/Badge";
import { buttonClass } from "@/ui/Button";
import { DownloadButton } from "@/ui/DownloadButton";
import { count, words } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { Time } from "@/ui/Time";

import { type Failure, failureQuery, reportLink, reportQuery } from "./queries";
import { reportParts } from "./report";

/** One failed generation: what went wrong, and the report with the prompt and the answer. */
export function FailurePage() {
  const { failureId } = useParams({ from: "/generation-log/failures/$failureId" });
  const failure = useQuery(failureQuery(failureId));
  return (
    <Loaded query={failure}>
      {(record) => (
        <Page
          title={`Failed: ${words(record.failure_type)}`}
          lead={
            <span className="flex flex-wrap items-center gap-2">
              <Time at={record.created_at} />
              {record.simulated && <Badge>simulated</Badge>}
            </span>
          }
          actions={<Actions failure={record} />}
        >
          <Facts failure={record} />
          <Report failureId={failureId} />
        </Page>
      )}
    </Loaded>
  );
}

const Actions = ({ failure }: { failure: Failure }) => (
  <>
    <Link
      to="/batches/$jobId"
      params={{ jobId: failure.run_id }}
      className={buttonClass("primary")}
    >
      Open its batch
    </Link>
    <DownloadButton link={async () => (await reportLink(failure.id)).download_url}>
      Download the report
    </DownloadButton>
  </>
);

function Facts({ failure }: { failure: Failure }) {
  return (
    <Card className="flex flex-col gap-4 p-4">
      <p className="text-base font-medium break-words">{failure.error_message}</p>
      {failure.reason !== failure.error_message && (
        <p className="text-sm break-words text-muted">{failure.reason}</p>
      )}
      <dl className="grid grid-cols-2 gap-4 text-sm lg:grid-cols-4">
        <Fact label="Model">{failure.model}</Fact>
        <Fact label="Claude stopped by">{words(failure.stop_reason ?? "no answer")}</Fact>
        <Fact label="Tokens in, out">
          {count(failure.input_tokens)}, {count(failure.output_tokens)} of{" "}
          {count(failure.max_tokens)}
        </Fact>
        <Fact label="Prompt">{count(failure.prompt_length)} characters</Fact>
        {failure.truncation_pattern && (
          <Fact label="Broken off">
            {words(failure.truncation_pattern)}
            {failure.truncation_details && (
              <span className="block font-normal text-muted">{failure.truncation_details}</span>
            )}
          </Fact>
        )}
      </dl>
    </Card>
  );
}

const Fact = ({ label, children }: { label: string; children: ReactNode }) => (
  <div className="min-w-0">
    <dt className="text-xs text-muted">{label}</dt>
    <dd className="font-medium break-words tabular-nums">{children}</dd>
  </div>
);

function Report({ failureId }: { failureId: string }) {
  const report = useQuery(reportQuery(failureId));
  return (
    <Loaded query={report}>
      {(body) =>
        reportParts(body).map((part) => (
          <Card key={part.title} title={part.title}>
            <pre
              tabIndex={0}
              aria-label={part.title}
              className="max-h-96 overflow-auto p-4 text-xs leading-5 break-words whitespace-pre-wrap"
            >
              {part.text}
            </pre>
          </Card>
        ))
      }
    </Loaded>
  );
}
