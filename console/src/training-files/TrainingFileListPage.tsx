import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { Badge } from "@/ui/Badge";
import { buttonClass } from "@/ui/Button";
import { bytes, count } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { type TrainingFile, trainingFileListQuery } from "./queries";
import { FileBadge } from "./status";

/** All training files, newest first. */
export function TrainingFileListPage() {
  const choose = (
    <Link to="/conversations" search={{ status: "approved" }} className={buttonClass("primary")}>
      Choose conversations
    </Link>
  );
  return (
    <Page
      title="Training files"
      lead="Conversations exported for training, in versions that never change."
      actions={choose}
    >
      <List
        query={useInfiniteQuery(trainingFileListQuery())}
        caption="Training files"
        head={
          <>
            <Th>Name</Th>
            <Th right>Version</Th>
            <Th right>Conversations</Th>
            <Th right>Trainable answers</Th>
            <Th right>Average score</Th>
            <Th right>Size of the JSONL</Th>
            <Th>Changed</Th>
          </>
        }
        row={(file) => <FileCells file={file} />}
        none={
          <Empty title="No training file yet">
            <p className="max-w-prose text-muted">
              Select conversations in their list, or filter it, and make a training file of them.
            </p>
            {choose}
          </Empty>
        }
      />
    </Page>
  );
}

const FileCells = ({ file }: { file: TrainingFile }) => (
  <>
    <Td className="min-w-48 font-medium">
      <Link to="/training-files/$fileId" params={{ fileId: file.id }} className="hover:underline">
        {file.name}
      </Link>{" "}
      <FileBadge file={file} /> {file.simulated && <Badge>simulated</Badge>}
    </Td>
    <Td right>{file.version > 0 && file.version}</Td>
    <Td right>{count(file.conversation_count)}</Td>
    <Td right>{count(file.trainable_pairs)}</Td>
    <Td right>{file.avg_quality_score?.toFixed(2)}</Td>
    <Td right className="whitespace-nowrap">
      {bytes(file.jsonl_file_size)}
    </Td>
    <Td className="text-muted">
      <Time at={file.last_updated_at} />
    </Td>
  </>
);
