import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Download } from "lucide-react";

import { Button, buttonClass } from "@/ui/Button";
import { DownloadButton } from "@/ui/DownloadButton";
import { bytes } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { Table, Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";
import { toastError } from "@/ui/toast";

import { BillOfMaterials } from "./BillOfMaterials";
import { HeldOut } from "./HeldOut";
import { cardQuery, fileLink, type Model, modelQuery, useArchive } from "./queries";
import { VerdictBadge } from "./verdict";

/** One adapter: whether it was worth it, its files, what it is made of, and its card. */
export function ModelPage() {
  const { modelId } = useParams({ from: "/models/$modelId" });
  const query = useQuery(modelQuery(modelId));
  return (
    <Loaded query={query} rows={12}>
      {(model) => (
        <Page
          title={model.name}
          lead={
            <span className="flex flex-wrap items-center gap-2">
              <VerdictBadge verdict={model.verdict} />
              <span>{model.description}</span>
              <span>
                Delivered <Time at={model.created_at} />
              </span>
            </span>
          }
          actions={<Actions model={model} />}
        >
          <HeldOut model={model} />
          <Files model={model} />
          <div className="grid items-start gap-5 lg:grid-cols-2">
            <BillOfMaterials model={model} />
            <ModelCard modelId={modelId} />
          </div>
        </Page>
      )}
    </Loaded>
  );
}

function Actions({ model }: { model: Model }) {
  const archive = useArchive(model);
  return (
    <>
      <Link
        to="/training/jobs/$jobId"
        params={{ jobId: model.job_id }}
        className={buttonClass("plain")}
      >
        See its training
      </Link>
      <Button
        kind="primary"
        disabled={archive.isPending}
        onClick={() => archive.mutate(undefined, { onError: toastError })}
      >
        <Download className="size-4" aria-hidden />
        {archive.isPending ? "Packing" : "Download all"}, {bytes(model.total_size)}
      </Button>
    </>
  );
}

const Files = ({ model }: { model: Model }) => (
  <Card title="Files">
    <Table
      caption="Files of the model"
      head={
        <>
          <Th>Name</Th>
          <Th right>Size</Th>
          <Th>SHA-256</Th>
          <Th>
            <span className="sr-only">Download</span>
          </Th>
        </>
      }
    >
      {model.files.map((file) => (
        <tr key={file.name}>
          <Td className="font-medium">{file.name}</Td>
          <Td right className="whitespace-nowrap">
            {bytes(file.size)}
          </Td>
          <Td className="max-w-60 font-mono text-xs text-muted">
            <span className="block truncate" title={file.sha256}>
              {file.sha256}
            </span>
          </Td>
          <Td right>
            <DownloadButton
              kind="quiet"
              aria-label={`Download ${file.name}`}
              link={() => fileLink(model.id, file.name)}
            >
              <Download className="size-4" aria-hidden />
            </DownloadButton>
          </Td>
        </tr>
      ))}
    </Table>
    <p className="border-t border-line px-4 py-2.5 text-xs text-muted">
      On the command line, <code className="select-all">brightrun model download {model.id}</code>{" "}
      also compares every hash.
    </p>
  </Card>
);

function ModelCard({ modelId }: { modelId: string }) {
  const card = useQuery(cardQuery(modelId));
  return (
    <Card title="Model card">
      <Loaded query={card} rows={10}>
        {(text) => (
          <pre
            tabIndex={0}
            aria-label="Model card"
            className="max-h-128 overflow-auto p-4 text-xs leading-5 break-words whitespace-pre-wrap"
          >
            {text}
          </pre>
        )}
      </Loaded>
    </Card>
  );
}
