import { Badge, type Tone } from "@/ui/Badge";
import { words } from "@/ui/format";

const TONES: Record<string, Tone> = {
  queued: "neutral",
  processing: "accent",
  paused: "warn",
  completed: "good",
  failed: "bad",
  cancelled: "neutral",
};

/** The status of an item, or of a batch with the sentence that the API says of it. */
export function StatusBadge({ status, line }: { status: string; line?: string }) {
  const said = line?.split(":")[0] ?? words(status);
  const isPartial = status === "completed" && said.toLowerCase() !== status;
  return <Badge tone={isPartial ? "warn" : TONES[status]}>{said}</Badge>;
}
