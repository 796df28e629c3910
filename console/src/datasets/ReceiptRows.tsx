import { count, counted } from "@/ui/format";

import type { Receipt } from "./queries";

type Row = Receipt["shown"][number];

/** The first rows as the model sees them: what is learned is marked, all else is context. */
export function ReceiptRows({ rows }: { rows: Row[] }) {
  if (rows.length === 0) return null;
  return (
    <div className="flex flex-col gap-4 p-4">
      <p className="text-sm">
        The model learns to write what is <Trained text="marked like this" />; it reads the rest as
        context.
      </p>
      <ol aria-label="Rows as the model sees them" className="flex flex-col gap-4">
        {rows.map((row, at) => (
          <li key={at}>
            <h3 className="mb-1.5 text-sm font-medium">{headingOf(row)}</h3>
            <pre
              tabIndex={0}
              dir="auto"
              aria-label={`Row of line ${row.line}`}
              className="max-h-96 overflow-auto rounded-md border border-line bg-page px-3 py-2 text-xs leading-5 break-words whitespace-pre-wrap text-muted"
            >
              {row.segments.map((segment, part) => (
                <Segment key={part} {...segment} />
              ))}
            </pre>
          </li>
        ))}
      </ol>
    </div>
  );
}

function headingOf(row: Row): string {
  return [
    `Line ${count(row.line)}`,
    row.side === "validation" ? "held out" : "trained",
    `${count(row.trained_tokens)} of ${counted(row.tokens, "token")} learned`,
    row.turns_dropped > 0 && `without its first ${counted(row.turns_dropped, "turn")}`,
    !row.fits && "too long: dropped",
  ]
    .filter(Boolean)
    .join(", ");
}

/** `omitted` characters were left out of the middle of the text. */
function Segment({ text, trained, omitted }: Row["segments"][number]) {
  const shown =
    omitted > 0 ? `${text} [${count(omitted)} characters left out of the middle]` : text;
  return trained ? <Trained text={shown} /> : <span>{shown}</span>;
}

const Trained = ({ text }: { text: string }) => (
  <mark className="rounded-sm bg-good-soft font-medium text-good underline decoration-dotted underline-offset-2">
    {text}
  </mark>
);
