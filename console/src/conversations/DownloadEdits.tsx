import { useMutation } from "@tanstack/react-query";

import type { components } from "@/api/schema";
import { Button } from "@/ui/Button";
import { counted } from "@/ui/format";
import { saveBlob } from "@/ui/saveBlob";
import { toast, toastError } from "@/ui/toast";

import { preferenceLines } from "./queries";

/** Saves edited answers as preference data: each edited text, and the one that it replaced. */
export function DownloadEdits({ filter }: { filter: components["schemas"]["BulkFilter"] }) {
  const download = useMutation({
    mutationFn: () => preferenceLines(filter),
    onSuccess: (lines) => {
      if (lines.length === 0) return toast("No answer of these conversations was edited.");
      saveBlob("preferences.jsonl", new Blob(lines, { type: "application/jsonl" }));
      toast(`${counted(lines.length, "edited answer")} saved`);
    },
    onError: toastError,
  });
  return (
    <Button
      disabled={download.isPending}
      title="Edited answers as preference data (DPO), of approved conversations unless a status is chosen"
      onClick={() => download.mutate()}
    >
      Download edits
    </Button>
  );
}
