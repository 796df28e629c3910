import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";

import { GroupButton } from "@/session/GroupButton";
import { Badge } from "@/ui/Badge";
import { ChoiceFilter, Filters } from "@/ui/Filter";
import { bytes, count } from "@/ui/format";
import { List } from "@/ui/List";
import { Card, Page } from "@/ui/Page";
import { SearchBox } from "@/ui/SearchBox";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toastError } from "@/ui/toast";

import { DropZone } from "./DropZone";
import { ImportDialog } from "./ImportDialog";
import { type DatasetRow, datasetListQuery } from "./queries";
import { type DatasetSearch, STATUSES } from "./search";
import { DatasetBadge, statusLabel } from "./status";
import { complaint, startUpload, useUploads } from "./uploads";
import { UploadProgress } from "./UploadProgress";

/** All datasets, newest first, and the ways to a new one. */
export function DatasetListPage() {
  const search = useSearch({ from: "/datasets" });
  const navigate = useNavigate({ from: "/datasets" });
  const [importing, setImporting] = useState(false);
  const change = (next: Partial<DatasetSearch>) =>
    void navigate({ search: (old) => ({ ...old, ...next }), replace: true });
  return (
    <Page
      title="Datasets"
      lead="Files of training rows, validated down to the line. Models are trained on those that are ready."
      actions={
        <GroupButton needs="writers" onClick={() => setImporting(true)}>
          Import a training file
        </GroupButton>
      }
    >
      <NewUploads />
      <Filters>
        <SearchBox
          label="Search in names"
          value={search.q ?? ""}
          onChange={(q) => change({ q: q || undefined })}
        />
        <ChoiceFilter
          label="Status"
          any="Any status"
          choices={STATUSES}
          nameOf={statusLabel}
          value={search.status}
          onChange={(status) => change({ status })}
        />
      </Filters>
      <List
        query={useInfiniteQuery(datasetListQuery(search))}
        caption="Datasets"
        head={HEAD}
        row={(row) => <DatasetCells row={row} />}
        onShowAll={
          search.q || search.status ? () => change({ q: undefined, status: undefined }) : undefined
        }
        none={<NoDataset />}
      />
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </Page>
  );
}

function NewUploads() {
  const uploads = useUploads().filter((one) => one.state !== "arrived");
  const queries = useQueryClient();
  const refresh = () => void queries.invalidateQueries({ queryKey: ["datasets"] });
  async function begin(files: File[]) {
    for (const file of files) {
      const wrong = complaint(file);
      if (wrong) {
        toastError(new Error(wrong));
        continue;
      }
      await startUpload(file, refresh).catch(toastError);
      refresh();
    }
  }
  return (
    <div className="flex flex-col gap-4">
      <DropZone
        label="Drop files here, or choose them"
        multiple
        onFiles={(files) => void begin(files)}
      >
        JSON Lines in any known format (also packed with gzip), up to 500 MB. The format is
        detected.
      </DropZone>
      {uploads.length > 0 && (
        <Card title="Uploads of this tab" className="pb-3">
          <ul className="flex flex-col gap-4 p-4 pb-1">
            {uploads.map((upload) => (
              <li key={upload.datasetId}>
                <UploadProgress upload={upload} />
              </li>
            ))}
          </ul>
        </Card>
      )}
    </div>
  );
}

const NoDataset = () => (
  <Empty title="No dataset yet">
    <p className="max-w-prose text-muted">
      Upload a file above, or make a training file of conversations that you have approved and
      import it.
    </p>
    <Link to="/conversations" search={{ status: "approved" }} className="text-accent underline">
      Approved conversations
    </Link>
  </Empty>
);

const HEAD = (
  <>
    <Th>Name</Th>
    <Th>Status</Th>
    <Th>Format</Th>
    <Th right>Trainable answers</Th>
    <Th right>Tokens</Th>
    <Th right>Errors</Th>
    <Th right>Size</Th>
    <Th>Created</Th>
  </>
);

const DatasetCells = ({ row }: { row: DatasetRow }) => (
  <>
    <Td className="min-w-48 font-medium">
      <Link to="/datasets/$datasetId" params={{ datasetId: row.id }} className="hover:underline">
        {row.name}
      </Link>{" "}
      {row.simulated && <Badge>simulated</Badge>}
    </Td>
    <Td>
      <DatasetBadge status={row.status} />
    </Td>
    <Td className="whitespace-nowrap text-muted">{row.validated_at ? row.format : ""}</Td>
    <Td right>{row.trainable_pairs !== null && count(row.trainable_pairs)}</Td>
    <Td right>{row.total_tokens !== null && count(row.total_tokens)}</Td>
    <Td right className="text-bad">
      {errorCount(row) > 0 && count(errorCount(row))}
    </Td>
    <Td right className="whitespace-nowrap">
      {bytes(row.file_size)}
    </Td>
    <Td className="text-muted">
      <Time at={row.created_at} />
    </Td>
  </>
);

const errorCount = (row: DatasetRow) => Number(row.statistics.error_count ?? 0);
