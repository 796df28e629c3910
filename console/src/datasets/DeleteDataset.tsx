import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { GroupButton } from "@/session/GroupButton";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { counted } from "@/ui/format";
import { toast, toastError } from "@/ui/toast";

import { type Dataset, useDeleteDataset } from "./queries";
import { cancelUpload } from "./uploads";

/** Deleting for good, after saying what goes and what stays. */
export function DeleteDataset({ dataset }: { dataset: Dataset }) {
  const [asking, setAsking] = useState(false);
  const remove = useDeleteDataset(dataset.id);
  const navigate = useNavigate();
  const jobs = dataset.active_jobs;

  function act() {
    cancelUpload(dataset.id);
    remove.mutate(undefined, {
      onSuccess: () => {
        toast(`Deleted: ${dataset.name}`);
        void navigate({ to: "/datasets" });
      },
      onError: toastError,
    });
  }

  return (
    <>
      <GroupButton needs="writers" kind="danger" onClick={() => setAsking(true)}>
        Delete
      </GroupButton>
      {asking && (
        <Dialog onClose={() => setAsking(false)} title={`Delete ${dataset.name}?`}>
          {jobs > 0 ? (
            <p className="text-sm">
              {counted(jobs, "training job is", "training jobs are")} using it. It can be deleted
              when they have ended or were cancelled.
            </p>
          ) : (
            <ul className="list-disc space-y-1.5 pl-5 text-sm">
              {consequences(dataset).map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          )}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setAsking(false)}>Keep it</Button>
            <Button kind="danger" disabled={jobs > 0 || remove.isPending} onClick={act}>
              Delete for good
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function consequences({ status, source, training_file_version: version }: Dataset): string[] {
  if (status === "uploading") return ["What has arrived of its file is deleted."];
  return [
    "Its file, its validation reports and its split are deleted, and cannot be brought back.",
    "Models that were trained on it stay, but cannot be trained again on the same data.",
    source === "training_file"
      ? `The training file stays; its version ${version} can be imported again.`
      : "The file on your own computer is not touched.",
  ];
}
