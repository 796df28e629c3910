import { count } from "@/ui/format";

import { markUnresolved } from "./markUnresolved";

/** A rendered prompt; placeholders without a value are marked, unknown ones apart from empty ones. */
export function MarkedPrompt({
  preview,
  known,
}: {
  preview: { prompt: string; unresolved: readonly string[]; length: number; max_length: number };
  known: readonly string[];
}) {
  const unknown = preview.unresolved.filter((name) => !known.includes(name));
  const empty = preview.unresolved.filter((name) => known.includes(name));
  const isTooLong = preview.length > preview.max_length;
  return (
    <>
      <p className="text-xs text-muted">
        <span className={isTooLong ? "text-bad" : ""}>
          {count(preview.length)} of {count(preview.max_length)} characters.
        </span>{" "}
        {unknown.length > 0 && (
          <strong className="font-medium text-bad">
            No such placeholder: {unknown.join(", ")}.{" "}
          </strong>
        )}
        {empty.length > 0 && (
          <strong className="font-medium text-warn">
            Without a value here: {empty.join(", ")}.
          </strong>
        )}
      </p>
      <pre
        tabIndex={0}
        aria-label="What Claude would be sent"
        className="max-h-96 overflow-auto rounded-md border border-line bg-page p-3 text-xs leading-5 break-words whitespace-pre-wrap"
      >
        {markUnresolved(preview.prompt, preview.unresolved).map((part, index) =>
          part.name === undefined ? (
            part.text
          ) : (
            <mark
              key={index}
              className={
                unknown.includes(part.name) ? "bg-bad-soft text-bad" : "bg-warn-soft text-warn"
              }
            >
              {part.text}
            </mark>
          ),
        )}
      </pre>
    </>
  );
}
