import { Badge, type Tone } from "@/ui/Badge";

import type { DatasetStatus } from "./queries";

const LOOKS: Record<DatasetStatus, { tone: Tone; label: string }> = {
  uploading: { tone: "neutral", label: "waiting for its file" },
  validating: { tone: "accent", label: "being validated" },
  ready: { tone: "good", label: "ready" },
  error: { tone: "bad", label: "not ready" },
};

export const DatasetBadge = ({ status }: { status: DatasetStatus }) => (
  <Badge tone={LOOKS[status].tone}>{LOOKS[status].label}</Badge>
);

export const statusLabel = (status: DatasetStatus) => LOOKS[status].label;
