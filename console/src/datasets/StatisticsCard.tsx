import { Figure, Figures } from "@/ui/Figure";
import { count } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Table, Td, Th } from "@/ui/Table";

import type { Dataset } from "./queries";
import type { Lengths, Statistics } from "./statistics";

const SHARES = ["p50", "p90", "p95", "p99", "max"] as const;

/** What the validation counted in the whole file. */
export function StatisticsCard({
  dataset,
  statistics,
}: {
  dataset: Dataset;
  statistics: Statistics;
}) {
  const number = (value: number | null) => (value === null ? "unknown" : count(value));
  return (
    <Card title="Statistics">
      <div className="p-4">
        <Figures>
          <Figure label="Format">{dataset.format}</Figure>
          <Figure label="Records" note={refusedNote(statistics)}>
            {count(statistics.records)}
          </Figure>
          <Figure label="Conversations">{count(statistics.conversations)}</Figure>
          <Figure label="Trainable answers" note={heldOutNote(dataset)}>
            {number(dataset.trainable_pairs)}
          </Figure>
          <Figure label="Tokens" note="An estimate; the receipt counts a model's own">
            {number(dataset.total_tokens)}
          </Figure>
          <Figure label="Turns a conversation">{number(dataset.avg_turns_per_conversation)}</Figure>
          <Figure label="Duplicates">{count(statistics.duplicates)}</Figure>
          <Figure
            label="Near duplicates"
            note={statistics.forgotten > 0 ? "Not all rows were compared" : undefined}
          >
            {count(statistics.near_duplicates)}
          </Figure>
        </Figures>
      </div>
      <Table
        caption="Lengths in tokens"
        head={
          <>
            <Th>Length in tokens of</Th>
            <Th right>Half have at most</Th>
            <Th right>90 %</Th>
            <Th right>95 %</Th>
            <Th right>99 %</Th>
            <Th right>Longest</Th>
          </>
        }
      >
        <LengthRow label="a conversation" lengths={statistics.tokens_per_conversation} />
        <LengthRow label="an answer with all before it" lengths={statistics.tokens_per_pair} />
      </Table>
      {dataset.sha256 && (
        <p className="border-t border-line px-4 py-2.5 text-xs break-all text-muted">
          SHA-256 <code>{dataset.sha256}</code>
        </p>
      )}
    </Card>
  );
}

const refusedNote = ({ refused }: Statistics) =>
  refused > 0 ? `${count(refused)} with an error` : undefined;

const heldOutNote = ({ total_validation_pairs: heldOut }: Dataset) =>
  heldOut ? `${count(heldOut)} of them held out` : undefined;

const LengthRow = ({ label, lengths }: { label: string; lengths: Lengths }) => (
  <tr>
    <Td>{label}</Td>
    {SHARES.map((share) => (
      <Td key={share} right>
        {count(lengths[share])}
      </Td>
    ))}
  </tr>
);
