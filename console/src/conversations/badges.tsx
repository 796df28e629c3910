import { Badge, type Tone } from "@/ui/Badge";
import { words } from "@/ui/format";

const STATUS: Record<string, Tone> = {
  pending_review: "warn",
  approved: "good",
  rejected: "bad",
  archived: "neutral",
};
const SEVERITY: Record<string, Tone> = { severe: "bad", major: "warn", review: "accent" };
const GOOD_SCORE = 4;
const FAIR_SCORE = 3;

export const ReviewBadge = ({ status }: { status: string }) => (
  <Badge tone={STATUS[status]}>{words(status)}</Badge>
);

export const FlagBadge = ({ severity, code }: { severity: string; code: string }) => (
  <Badge tone={SEVERITY[severity]}>{words(code)}</Badge>
);

/** The quality score of 0 to 5; a conversation without one says so. */
export function Score({ value }: { value: number | null }) {
  if (value === null) return <span className="text-muted">none</span>;
  const tone = value >= GOOD_SCORE ? "good" : value >= FAIR_SCORE ? "warn" : "bad";
  return <Badge tone={tone}>{value.toFixed(1)}</Badge>;
}
