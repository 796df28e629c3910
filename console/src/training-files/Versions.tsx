import { DownloadButton } from "@/ui/DownloadButton";
import { bytes, count } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Table, Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { downloadLink, type FileFormat, type TrainingFile, type Version } from "./queries";

/** All versions of a file, the newest first, each with its downloads. */
export const Versions = ({ file, versions }: { file: TrainingFile; versions: Version[] }) => (
  <Card title="Versions">
    <Table
      caption="Versions"
      head={
        <>
          <Th right>Version</Th>
          <Th right>Conversations</Th>
          <Th right>Added</Th>
          <Th right>Trainable answers</Th>
          <Th right>Average score</Th>
          <Th>Made</Th>
          <Th>Download</Th>
        </>
      }
    >
      {versions.toReversed().map((one) => (
        <tr key={one.version}>
          <Td right>{one.version}</Td>
          <Td right>{count(one.conversation_count)}</Td>
          <Td right>{count(one.added_conversations)}</Td>
          <Td right>{count(one.trainable_pairs)}</Td>
          <Td right>{one.avg_quality_score?.toFixed(2)}</Td>
          <Td className="text-muted">
            <Time at={one.created_at} />
          </Td>
          <Td>
            <span className="flex gap-2">
              <Download file={file} version={one} format="jsonl" size={one.jsonl_file_size} />
              <Download file={file} version={one} format="json" size={one.json_file_size} />
            </span>
          </Td>
        </tr>
      ))}
    </Table>
    <p className="border-t border-line px-4 py-2.5 text-xs text-muted">
      JSONL has one answer to train on in each line; JSON has whole conversations with all that is
      known of them.
    </p>
  </Card>
);

function Download({
  file,
  version,
  format,
  size,
}: {
  file: TrainingFile;
  version: Version;
  format: FileFormat;
  size: number;
}) {
  return (
    <DownloadButton
      className="relative" // holds its hidden words, which would widen the page from inside a table
      title={`SHA-256 ${version[`${format}_sha256`]}`}
      link={() => downloadLink(file.id, format, version.version)}
    >
      <span className="sr-only">Download version {version.version} as</span> {format.toUpperCase()}{" "}
      <span className="font-normal text-muted">{bytes(size)}</span>
    </DownloadButton>
  );
}
