import { Badge, type Tone } from "@/ui/Badge";
import { words } from "@/ui/format";

import type { Model } from "./queries";

const TONES: Record<Model["verdict"]["outcome"], Tone> = {
  better: "good",
  worse: "bad",
  no_measurable_difference: "warn",
  unknown: "neutral",
};
const WORDS: Record<Model["verdict"]["outcome"], string> = {
  better: "better than its base",
  worse: "worse than its base",
  no_measurable_difference: "no measurable difference",
  unknown: "not known",
};

export const VerdictBadge = ({ verdict }: { verdict: Model["verdict"] }) => (
  <Badge tone={TONES[verdict.outcome]}>{WORDS[verdict.outcome]}</Badge>
);

export const scoreText = ({ score, quality }: Model["verdict"]) =>
  score === null ? "no score" : `${score} of 5, ${words(quality)}`;
