import { Badge } from "@/ui/Badge";

import { isBuilding, type TrainingFile } from "./queries";

/** What is worth knowing of a file's newest build; nothing if it went well. */
export function FileBadge({ file }: { file: TrainingFile }) {
  if (isBuilding(file)) return <Badge tone="accent">being built</Badge>;
  return file.build?.status === "failed" ? <Badge tone="bad">build failed</Badge> : null;
}
