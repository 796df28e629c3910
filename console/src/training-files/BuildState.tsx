import { count, duration } from "@/ui/format";
import { Card } from "@/ui/Page";
import { ProgressBar } from "@/ui/ProgressBar";

import { LeftOut } from "./LeftOut";
import type { Build } from "./queries";

/** How far the newest build is, what it left out, or why it failed. */
export function BuildState({ build }: { build: Build }) {
  const { status, version, done, total } = build;
  const hasLeftOut = Object.keys(build.left_out).length > 0;
  if (status === "ready" && !hasLeftOut) return null;
  return (
    <Card className="flex flex-col gap-2 p-4 text-sm">
      {status === "building" && (
        <>
          <p className="font-medium">Version {version} is being built</p>
          <ProgressBar label={`Build of version ${version}`} value={done} of={total} />
          <p className="text-muted tabular-nums">
            {count(done)} of {count(total)} conversations looked at{timeLeft(build)}
          </p>
        </>
      )}
      {status === "failed" && (
        <>
          <p className="font-medium text-bad">Version {version} could not be built</p>
          <p>{build.error}</p>
          <p className="text-muted">Correct what it names, and add the conversations again.</p>
        </>
      )}
      {hasLeftOut && (
        <>
          <p className="font-medium">
            {status === "building" ? "Left out so far" : `Left out of version ${version}`}
          </p>
          <LeftOut counts={build.left_out} examples={build.examples} />
        </>
      )}
    </Card>
  );
}

function timeLeft({ done, total, started_at: startedAt, updated_at: updatedAt }: Build): string {
  const passed = (Date.parse(updatedAt) - Date.parse(startedAt)) / 1000;
  return done > 0 && done < total && passed > 1
    ? `, ${duration((passed * (total - done)) / done)} left`
    : "";
}
