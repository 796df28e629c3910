import { useQuery, useQueryClient } from "@tanstack/react-query";

import { GroupButton } from "@/session/GroupButton";
import { counted } from "@/ui/format";
import { Card } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { toastError } from "@/ui/toast";

import { DropZone } from "./DropZone";
import { type Dataset, type UploadPlan, uploadPlanQuery, useValidateAgain } from "./queries";
import { statisticsOf } from "./statistics";
import { mismatch, resumeUpload, useUploads } from "./uploads";
import { UploadProgress } from "./UploadProgress";

/** Where a dataset stands, and what to do next. */
export function Outcome({ dataset }: { dataset: Dataset }) {
  const upload = useUploads().find((one) => one.datasetId === dataset.id);
  if (dataset.status === "uploading" && upload && upload.state !== "failed") {
    return (
      <Card className="p-4">
        <UploadProgress upload={upload} />
      </Card>
    );
  }
  if (dataset.status === "uploading")
    return <Interrupted dataset={dataset} error={upload?.error} />;
  if (dataset.status === "validating") return <Validating />;
  return dataset.status === "error" ? <NotReady dataset={dataset} /> : <Ready dataset={dataset} />;
}

const Validating = () => (
  <Card className="p-4">
    <p role="status" className="text-sm">
      Every line is being checked, and its tokens are counted. A file of 500 MB takes a few minutes;
      this page follows by itself.
    </p>
  </Card>
);

function Ready({ dataset }: { dataset: Dataset }) {
  const statistics = statisticsOf(dataset);
  const nothing = !dataset.training_ready;
  return (
    <Card className="p-4">
      <p className="text-sm">
        {nothing
          ? "The file is sound, but it has no answer to train on."
          : `A model can be trained on it: ${counted(dataset.trainable_pairs ?? 0, "answer")} will be learned. `}
        {!nothing &&
          (dataset.total_validation_pairs ?? 0) > 0 &&
          `${counted(dataset.total_validation_pairs ?? 0, "of them is", "of them are")} held out to measure what was learned. `}
        {statistics &&
          statistics.warning_count > 0 &&
          `${counted(statistics.warning_count, "warning")} below: worth a look, no obstacle.`}
      </p>
    </Card>
  );
}

/** Without a report, the validation itself failed, and the same file may pass it. */
function NotReady({ dataset }: { dataset: Dataset }) {
  const again = useValidateAgain(dataset.id);
  const statistics = statisticsOf(dataset);
  const errors = statistics?.error_count ?? 0;
  return (
    <Card className="flex flex-col gap-3 border-bad p-4 text-sm">
      <h2 className="font-semibold text-bad">Not ready: no model can be trained on it</h2>
      {errors > 0 ? (
        <>
          <p>
            {counted(errors, "error")} in {counted(statistics?.refused ?? 0, "record")}. One is
            enough to keep a file from being ready, so that nothing is left out in silence.
          </p>
          <ol className="list-decimal space-y-1 pl-5">
            <li>Look at the problems below: each says where it stands and how it is mended.</li>
            <li>
              {dataset.source === "upload"
                ? "Mend the file, or leave those lines out."
                : "Correct the conversations, and make a new version of the training file."}
            </li>
            <li>
              {dataset.source === "upload"
                ? "Upload it as a new dataset, and delete this one."
                : "Import that version, and delete this dataset."}
            </li>
          </ol>
        </>
      ) : (
        <p>{dataset.error_message}</p>
      )}
      {errors === 0 && dataset.validation_run > 0 && (
        <div>
          <GroupButton
            needs="writers"
            disabled={again.isPending}
            onClick={() => again.mutate(undefined, { onError: toastError })}
          >
            Validate again
          </GroupButton>
        </div>
      )}
    </Card>
  );
}

/** An upload that is not under way in this tab: what has arrived, and how to go on. */
function Interrupted({ dataset, error }: { dataset: Dataset; error?: string }) {
  const queries = useQueryClient();
  const plan = useQuery(uploadPlanQuery(dataset.id));
  const refresh = () => void queries.invalidateQueries({ queryKey: ["datasets"] });
  function goOn(file: File | undefined) {
    if (!file) return;
    const wrong = mismatch(file, dataset.id, dataset.file_size);
    if (wrong) toastError(new Error(wrong));
    else void resumeUpload(dataset, file, refresh).catch(toastError);
  }
  return (
    <Card className="flex flex-col gap-3 p-4 text-sm">
      <h2 className="font-semibold">The file has not arrived completely</h2>
      {error && (
        <p role="alert" className="text-bad">
          {error}
        </p>
      )}
      <Loaded query={plan} rows={1}>
        {(upload) => <p>{arrivedOf(upload)} If another tab is sending it now, let it finish.</p>}
      </Loaded>
      <DropZone label={`Choose ${dataset.file_name} to go on`} onFiles={([file]) => goOn(file)}>
        Only what is missing is sent. It must be the same file, unchanged.
      </DropZone>
    </Card>
  );
}

function arrivedOf(plan: UploadPlan): string {
  if (plan.method === "put" || plan.uploaded.length === 0) return "Nothing of it is there yet.";
  const all = plan.uploaded.length + plan.parts.length;
  return `${plan.uploaded.length} of ${counted(all, "part")} are there.`;
}
