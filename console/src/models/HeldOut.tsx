import { Figure, Figures } from "@/ui/Figure";
import { count, counted, significant, words } from "@/ui/format";
import { Card } from "@/ui/Page";

import type { Model } from "./queries";
import { scoreText } from "./verdict";

/** The adapter against its base on conversations that neither was trained on. */
export function HeldOut({ model }: { model: Model }) {
  const { verdict, held_out: held } = model;
  return (
    <Card title="Against its base model">
      <div className="flex flex-col gap-4 p-4">
        <p className="max-w-prose">{verdict.headline}</p>
        <Figures>
          <Figure label="Loss of the base">{loss(held.base_loss)}</Figure>
          <Figure label="Loss of the adapter">{loss(held.adapter_loss)}</Figure>
          <Figure
            label="Difference"
            note={
              held.difference_low === null || held.difference_high === null
                ? "interval unknown"
                : `95 % between ${signed(held.difference_low)} and ${signed(held.difference_high)}`
            }
          >
            {held.difference === null ? "unknown" : signed(held.difference)}
          </Figure>
          <Figure label="Score">{scoreText(verdict)}</Figure>
        </Figures>
        <Losses held={held} />
        <p className="text-xs text-muted">
          {held.unmeasured
            ? `Not measured: ${words(held.unmeasured)}.`
            : `Measured on ${counted(held.pairs, "pair")} of ${counted(held.conversations, "conversation")} that were held out, ${count(held.tokens)} answer tokens; nats per token, less is better.`}{" "}
          {verdict.basis}
        </p>
      </div>
    </Card>
  );
}

/** Both losses as bars on one scale. */
function Losses({ held }: { held: Model["held_out"] }) {
  if (held.base_loss === null || held.adapter_loss === null) return null;
  const most = Math.max(held.base_loss, held.adapter_loss);
  const bars = [
    ["Base", held.base_loss, "bg-muted"],
    ["Adapter", held.adapter_loss, "bg-accent"],
  ] as const;
  return (
    <div aria-hidden className="grid grid-cols-[auto_1fr] items-center gap-x-3 gap-y-1.5 text-xs">
      {bars.map(([name, value, color]) => (
        <div key={name} className="contents">
          <span className="text-muted">{name}</span>
          <span
            className={`h-3 rounded-sm ${color}`}
            style={{ width: `${(100 * value) / most}%` }}
          />
        </div>
      ))}
    </div>
  );
}

const loss = (value: number | null) => (value === null ? "unknown" : significant(value, 4));
const signed = (value: number) => `${value > 0 ? "+" : ""}${significant(value, 3)}`;
