import { Badge, type Tone } from "@/ui/Badge";

import type { ScaffoldingRecord } from "./queries";

const ORIGINS: Record<NonNullable<ScaffoldingRecord["origin"]>, { text: string; tone: Tone }> = {
  built_in: { text: "built-in", tone: "neutral" },
  edited: { text: "built-in, edited", tone: "warn" },
  own: { text: "your own", tone: "accent" },
};

/** Whether a record came with the product, was changed since, or is the reader's own. */
export const OriginBadge = ({ origin = "own" }: { origin?: ScaffoldingRecord["origin"] }) => (
  <Badge tone={ORIGINS[origin].tone}>{ORIGINS[origin].text}</Badge>
);
