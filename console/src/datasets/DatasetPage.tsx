import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";

import { Badge } from "@/ui/Badge";
import { bytes } from "@/ui/format";
import { Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { Time } from "@/ui/Time";

import { DeleteDataset } from "./DeleteDataset";
import { Outcome } from "./Outcome";
import { Problems } from "./Problems";
import { type Dataset, datasetQuery } from "./queries";
import { ReceiptCard } from "./ReceiptCard";
import { Samples } from "./Samples";
import { StatisticsCard } from "./StatisticsCard";
import { statisticsOf } from "./statistics";
import { DatasetBadge } from "./status";

/** One dataset: its upload, the outcome of its validation, and what a model will see of it. */
export function DatasetPage() {
  const { datasetId } = useParams({ from: "/datasets/$datasetId" });
  const dataset = useQuery(datasetQuery(datasetId));
  return <Loaded query={dataset}>{(data) => <Shown key={datasetId} dataset={data} />}</Loaded>;
}

function Shown({ dataset }: { dataset: Dataset }) {
  const statistics = statisticsOf(dataset);
  const hasEnded = dataset.status === "ready" || dataset.status === "error";
  return (
    <Page
      title={dataset.name}
      lead={<Lead dataset={dataset} />}
      actions={<DeleteDataset dataset={dataset} />}
    >
      <Outcome dataset={dataset} />
      {statistics && hasEnded && (
        <>
          {statistics.summary.length > 0 && (
            <Problems key={dataset.validation_run} dataset={dataset} summary={statistics.summary} />
          )}
          <StatisticsCard dataset={dataset} statistics={statistics} />
        </>
      )}
      {dataset.training_ready && <ReceiptCard dataset={dataset} />}
      {dataset.sample_data.length > 0 && <Samples rows={dataset.sample_data} />}
    </Page>
  );
}

const Lead = ({ dataset }: { dataset: Dataset }) => (
  <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
    <DatasetBadge status={dataset.status} />
    {dataset.simulated && <Badge>simulated</Badge>}
    <span className="break-all">
      {dataset.file_name}, {bytes(dataset.file_size)}
    </span>
    {dataset.training_file_id && (
      <Link
        to="/training-files/$fileId"
        params={{ fileId: dataset.training_file_id }}
        className="text-accent hover:underline"
      >
        from version {dataset.training_file_version} of its training file
      </Link>
    )}
    <Time at={dataset.created_at} />
    {dataset.description && <span className="w-full">{dataset.description}</span>}
  </span>
);
