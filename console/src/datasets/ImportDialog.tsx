import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";

import { importableQuery } from "@/training-files/queries";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { counted } from "@/ui/format";
import { Loaded } from "@/ui/states";
import { toastError } from "@/ui/toast";

import { useImport } from "./queries";

/** The training files that a dataset can be made of, and why not of the others. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const files = useQuery(importableQuery());
  const navigate = useNavigate();
  const importing = useImport();
  const choose = (fileId: string) =>
    importing.mutate(
      { fileId },
      {
        onSuccess: ({ id }) => {
          onClose();
          void navigate({ to: "/datasets/$datasetId", params: { datasetId: id } });
        },
        onError: toastError,
      },
    );
  return (
    <Dialog
      onClose={onClose}
      title="Import a training file"
      description="The dataset is a copy of the file's newest version: what you add to the file later does not change it."
    >
      <Loaded query={files} rows={3}>
        {({ all_training_files: all }) =>
          all.length === 0 ? (
            <p className="text-sm text-muted">
              There is no training file yet.{" "}
              <Link to="/conversations" search={{ status: "approved" }} className="underline">
                Choose conversations for one.
              </Link>
            </p>
          ) : (
            <ul className="divide-y divide-line">
              {all.map((file) => (
                <li key={file.id} className="flex items-center justify-between gap-3 py-2.5">
                  <span className="min-w-0">
                    <span className="block font-medium break-words">{file.name}</span>
                    <span className="block text-xs text-muted">
                      Version {file.version}, {counted(file.conversation_count, "conversation")},{" "}
                      {counted(file.trainable_pairs, "trainable answer")}
                    </span>
                  </span>
                  {file.can_import ? (
                    <Button
                      aria-label={`Import ${file.name}`}
                      disabled={importing.isPending}
                      onClick={() => choose(file.id)}
                    >
                      Import
                    </Button>
                  ) : (
                    <span className="max-w-44 text-right text-xs text-muted">
                      {file.is_imported ? "Imported already" : file.import_obstacle}
                    </span>
                  )}
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <div className="flex justify-end">
        <Button onClick={onClose}>Close</Button>
      </div>
    </Dialog>
  );
}
