import { Button } from "@/ui/Button";
import { bytes, duration } from "@/ui/format";
import { ProgressBar } from "@/ui/ProgressBar";

import { cancelUpload, type Upload } from "./uploads";

/** A file on its way: how much has gone, how fast, how long it still takes. */
export function UploadProgress({ upload }: { upload: Upload }) {
  const { name, sent, size, state, error } = upload;
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex flex-wrap items-center justify-between gap-2 text-sm">
        <span className="min-w-0 font-medium break-words">{name}</span>
        <Button kind="quiet" onClick={() => cancelUpload(upload.datasetId)}>
          {state === "failed" ? "Dismiss" : "Stop"}
        </Button>
      </div>
      <ProgressBar label={`Upload of ${name}`} value={sent} of={size} />
      {state === "failed" ? (
        <p role="alert" className="text-sm text-bad">
          {error} What has arrived stays: open the dataset and choose the file again to go on.
        </p>
      ) : (
        <p className="text-xs text-muted tabular-nums">{pace(upload)}</p>
      )}
    </div>
  );
}

const ENOUGH_MS = 1_000;

function pace({ sent, size, sentBefore, startedAt }: Upload): string {
  const told = `${bytes(sent)} of ${bytes(size)}`;
  if (sent >= size) return `${told}, being checked`;
  const passed = Date.now() - startedAt;
  const gone = sent - (sentBefore ?? sent);
  if (passed < ENOUGH_MS || gone <= 0) return told;
  const perSecond = (gone / passed) * 1000;
  return `${told}, ${bytes(perSecond)} a second, ${duration((size - sent) / perSecond)} left`;
}
