import { Badge } from "@/ui/Badge";
import { Figure, Figures } from "@/ui/Figure";
import { count, counted, words } from "@/ui/format";

import type { Receipt } from "./queries";

/** The counts of a receipt, and all that will not be learned, by reason. */
export function ReceiptFigures({ receipt }: { receipt: Receipt }) {
  return (
    <div className="flex flex-col gap-4 border-b border-line p-4">
      {receipt.refusal && (
        <p role="alert" className="text-sm text-bad">
          A training job would fail: {receipt.refusal}
        </p>
      )}
      {receipt.sample && (
        <p className="text-sm text-muted">
          Counted in a sample of {count(receipt.sample.rows)} of about{" "}
          {counted(receipt.sample.of_rows, "row")}, times {receipt.sample.factor.toFixed(2)}.
        </p>
      )}
      <TokenBar receipt={receipt} />
      <Figures>
        <Figure label="Learned in each epoch" note="tokens">
          {count(receipt.target_tokens_per_epoch)}
        </Figure>
        <Figure
          label="Read in each epoch"
          note={`tokens, after merging (${receipt.merge_factor.toFixed(2)} times fewer)`}
        >
          {count(receipt.tokens_per_epoch)}
        </Figure>
        <Figure label="Steps" note={counted(receipt.epochs, "epoch")}>
          {count(receipt.steps)}
        </Figure>
        <Figure
          label="Sequences"
          note={`the longest has ${counted(receipt.longest_sequence, "token")}`}
        >
          {count(receipt.sequences)}
        </Figure>
        <Figure label="Answers to train on">{count(receipt.train_pairs)}</Figure>
        <Figure label="Answers held out">{count(receipt.validation_pairs)}</Figure>
        <Figure label="Cut off" note="tokens beyond the longest sequence">
          {count(receipt.truncated_tokens)}
        </Figure>
        <Figure label="Rows without anything to learn" note={linesNote(receipt)}>
          {count(receipt.rows_without_trainable_tokens)}
        </Figure>
      </Figures>
      <Losses receipt={receipt} />
      <p className="text-xs break-words text-muted">
        {receipt.base_model}, revision <code>{receipt.base_model_revision}</code>; chat template{" "}
        <code>{receipt.template.name}</code> of {receipt.template.file}
        {receipt.system_folded_into_user &&
          "; it has no system turn, whose text goes into the first user turn"}
        .
      </p>
    </div>
  );
}

/** Learned and only read tokens of an epoch, as one bar and in words. */
function TokenBar({ receipt }: { receipt: Receipt }) {
  const learned = receipt.target_tokens_per_epoch;
  const masked = receipt.masked_tokens_per_epoch;
  const text = `${count(learned)} tokens are learned, ${count(masked)} are only read as context`;
  return (
    <div>
      <div
        role="img"
        aria-label={text}
        className="flex h-2.5 overflow-hidden rounded-full border border-line bg-raised"
      >
        <div className="bg-accent" style={{ flexGrow: learned }} />
        <div className="bg-raised" style={{ flexGrow: masked }} />
      </div>
      <p className="mt-1.5 text-xs text-muted">{text}, in each epoch.</p>
    </div>
  );
}

const linesNote = (receipt: Receipt) =>
  receipt.rows_without_trainable_tokens_lines.length > 0
    ? `lines ${receipt.rows_without_trainable_tokens_lines.map(count).join(", ")}`
    : undefined;

function Losses({ receipt }: { receipt: Receipt }) {
  const dropped = Object.entries(receipt.dropped).filter(([, pairs]) => pairs > 0);
  const { template_refusals: refusals, special_tokens_in_content: specials } = receipt;
  if (dropped.length + refusals.length + specials.length + receipt.pairs_that_lost_turns === 0) {
    return <p className="text-sm text-good">No answer is lost.</p>;
  }
  return (
    <ul aria-label="What is lost" className="flex flex-col gap-1.5 text-sm">
      {dropped.map(([reason, pairs]) => (
        <li key={reason}>
          <Badge tone="warn">{words(reason)}</Badge> {counted(pairs, "answer")} not learned
        </li>
      ))}
      {refusals.map((one) => (
        <li key={one.code} className="break-words">
          <Badge tone="bad">{words(one.code)}</Badge> {counted(one.pairs, "answer")}, from{" "}
          {one.sources[0]} on: {one.message}
        </li>
      ))}
      {receipt.pairs_that_lost_turns > 0 && (
        <li>
          <Badge tone="warn">turns dropped</Badge> {counted(receipt.turns_dropped, "early turn")}{" "}
          left out of {counted(receipt.pairs_that_lost_turns, "answer")}, which would be too long
          with them
        </li>
      )}
      {specials.map((one) => (
        <li key={one.token}>
          <Badge tone="warn">special token</Badge> <code>{one.token}</code> stands in the text of{" "}
          {counted(one.rows, "row")} (line {one.lines.map(count).join(", ")}); the model reads it as
          a command
        </li>
      ))}
    </ul>
  );
}
