import { type Fault } from "@/scaffolding/combinations";
import { TextArea } from "@/ui/Field";
import { counted } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Skeleton } from "@/ui/states";

const MOST_SHOWN = 20;

/** A pasted table of combinations, with its faults by line. */
export function TableInput({
  text,
  isLoading,
  isGaps,
  faults,
  count,
  onChange,
}: {
  text: string;
  isLoading: boolean;
  /** The table holds the gaps of the coverage. */
  isGaps: boolean;
  faults: readonly Fault[];
  count: number;
  onChange: (text: string) => void;
}) {
  if (isLoading) return <Skeleton rows={10} />;
  return (
    <Card title={isGaps ? "Combinations without a conversation" : "Table of combinations"}>
      <div className="flex flex-col gap-3 p-4">
        <label className="flex flex-col gap-1 text-sm">
          <span className="font-medium">Persona, arc and topic, one combination a line</span>
          <TextArea
            rows={14}
            spellCheck={false}
            className="w-full font-mono text-xs leading-5"
            placeholder={"anxious_planner, fear_to_confidence, roth_ira_conversion"}
            value={text}
            onChange={(event) => onChange(event.target.value)}
          />
          <span className="text-xs text-muted">
            Paste from a spreadsheet: tabs or commas between keys, ids or names.
          </span>
        </label>
        <p className="text-sm text-muted" aria-live="polite">
          <strong className="font-semibold text-ink">{counted(count, "combination")}</strong>
          {faults.length > 0 && (
            <span className="text-bad">, {counted(faults.length, "line")} with a fault</span>
          )}
        </p>
        {faults.length > 0 && (
          <ul aria-label="Faults" className="flex flex-col gap-1 text-sm">
            {faults.slice(0, MOST_SHOWN).map((fault) => (
              <li key={fault.line} className="break-words">
                <span className="font-medium text-bad">Line {fault.line}:</span> {fault.message}
              </li>
            ))}
            {faults.length > MOST_SHOWN && (
              <li className="text-muted">and {faults.length - MOST_SHOWN} more</li>
            )}
          </ul>
        )}
      </div>
    </Card>
  );
}
