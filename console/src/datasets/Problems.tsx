import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Badge } from "@/ui/Badge";
import { Button } from "@/ui/Button";
import { DownloadButton } from "@/ui/DownloadButton";
import { count, counted, words } from "@/ui/format";
import { Card } from "@/ui/Page";

import { columnOf, excerptOf } from "./file-lines";
import { type Dataset, linesQuery, type Problem, reportLink, reportQuery } from "./queries";
import type { CodeCount } from "./statistics";
import { type TextOrigin, TextSource } from "./TextSource";
import { fileOf } from "./uploads";

const SHOWN = 20;

type Lines = ReadonlyMap<number, string>;
const NO_LINES: Lines = new Map();

/** The problems of the file by code, each down to line and column, with the text if it is at hand. */
export function Problems({ dataset, summary }: { dataset: Dataset; summary: CodeCount[] }) {
  const report = useQuery(reportQuery(dataset.id, dataset.validation_run));
  const [origin, setOrigin] = useState<TextOrigin | null>(fileOf(dataset.id) ?? null);
  // Until the whole report is there, and where it cannot be read, the first ten of each kind.
  const listed: Problem[] = [
    ...((report.data?.errors ?? dataset.validation_errors) as Problem[]),
    ...((report.data?.warnings ?? dataset.validation_warnings) as Problem[]),
  ];
  const lines = useQuery({
    ...linesQuery(
      dataset,
      origin,
      listed.map((one) => one.line),
    ),
    enabled: origin !== null && !report.isPending,
  });
  return (
    <Card>
      <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
        <h2 className="text-sm font-semibold">Problems</h2>
        <ReportDownload datasetId={dataset.id} />
      </div>
      {!lines.data && (
        <TextSource dataset={dataset} isReading={lines.isFetching} onChoose={setOrigin} />
      )}
      {lines.error && (
        <p role="alert" className="px-4 py-2 text-sm text-bad">
          {lines.error.message}
        </p>
      )}
      <ul className="divide-y divide-line">
        {summary.map((row) => (
          <li key={row.code + row.severity}>
            <Group
              row={row}
              problems={listed.filter((one) => one.code === row.code)}
              lines={lines.data ?? NO_LINES}
            />
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Group({ row, problems, lines }: { row: CodeCount; problems: Problem[]; lines: Lines }) {
  const [shown, setShown] = useState(SHOWN);
  const unlisted = row.count - problems.length;
  return (
    <details className="group px-4 py-2.5" open={row.severity === "error"}>
      <summary className="cursor-pointer text-sm">
        <span className="inline-flex flex-wrap items-center gap-2 pl-1">
          <Badge tone={row.severity === "error" ? "bad" : "warn"}>{row.severity}</Badge>
          <span className="font-medium">{words(row.code)}</span>
          <span className="text-muted tabular-nums">{counted(row.count, "time")}</span>
        </span>
      </summary>
      {problems[0] && <p className="mt-2 text-sm">How to mend it: {problems[0].hint}</p>}
      <ol className="mt-2 flex flex-col gap-2">
        {problems.slice(0, shown).map((problem, at) => (
          <li key={at} className="rounded-md bg-page px-3 py-2 text-sm">
            <ProblemText problem={problem} line={lines.get(problem.line)} />
          </li>
        ))}
      </ol>
      {problems.length > shown && (
        <Button className="mt-2" onClick={() => setShown(shown + 10 * SHOWN)}>
          Show more of {count(problems.length)}
        </Button>
      )}
      {unlisted > 0 && problems.length <= shown && (
        <p className="mt-2 text-xs text-muted">
          {counted(unlisted, "more is", "more are")} counted, but not listed.
        </p>
      )}
    </details>
  );
}

function ProblemText({ problem, line }: { problem: Problem; line?: string }) {
  const column = columnOf(problem.message);
  return (
    <>
      <p>
        <span className="font-medium tabular-nums">
          Line {count(problem.line)}
          {column !== null && `, column ${count(column)}`}
        </span>
        {problem.pointer && (
          <code className="ml-2 text-xs break-all text-muted">{problem.pointer}</code>
        )}
      </p>
      <p className="break-words text-muted">{problem.message}</p>
      {line !== undefined && <Text line={line} problem={problem} column={column} />}
    </>
  );
}

function Text({
  line,
  problem,
  column,
}: {
  line: string;
  problem: Problem;
  column: number | null;
}) {
  const { before, marked, after } = excerptOf(line, column, problem.pointer);
  return (
    <pre
      dir="auto"
      className="mt-1.5 rounded border border-line bg-surface px-2 py-1.5 text-xs break-all whitespace-pre-wrap"
    >
      {before}
      <mark className="rounded-sm bg-bad-soft text-bad">{marked || "(empty line)"}</mark>
      {after}
    </pre>
  );
}

const ReportDownload = ({ datasetId }: { datasetId: string }) => (
  <DownloadButton link={async () => (await reportLink(datasetId)).download_url}>
    Download the report
  </DownloadButton>
);
