import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";

import { ApiProblem } from "@/api/problem";
import { useImport } from "@/datasets/queries";
import { Badge } from "@/ui/Badge";
import { GroupButton } from "@/session/GroupButton";
import { buttonClass } from "@/ui/Button";
import { Figure, Figures } from "@/ui/Figure";
import { bytes, count, counted } from "@/ui/format";
import { Card, Page } from "@/ui/Page";
import { Loaded } from "@/ui/states";
import { Time } from "@/ui/Time";
import { toastError } from "@/ui/toast";

import { BuildState } from "./BuildState";
import { Distribution } from "./Distribution";
import { type TrainingFile, trainingFileQuery } from "./queries";
import { FileBadge } from "./status";
import { Versions } from "./Versions";

/** One training file: what it holds, its versions and their downloads, and the way to a dataset. */
export function TrainingFilePage() {
  const { fileId } = useParams({ from: "/training-files/$fileId" });
  const file = useQuery(trainingFileQuery(fileId));
  return (
    <Loaded query={file}>
      {({ trainingFile, versions, build }) => (
        <Page
          title={trainingFile.name}
          lead={
            <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
              <FileBadge file={trainingFile} />
              {trainingFile.simulated && <Badge>simulated</Badge>}
              <span>
                {versions.length > 0 ? `Version ${trainingFile.version}` : "No version yet"},
                changed <Time at={trainingFile.last_updated_at} />
              </span>
              {trainingFile.description && (
                <span className="w-full">{trainingFile.description}</span>
              )}
            </span>
          }
          actions={
            <>
              <Link
                to="/conversations"
                search={{ status: "approved" }}
                className={buttonClass()}
                title="Choose conversations in their list, then press Training file"
              >
                Add conversations
              </Link>
              {trainingFile.trainable_pairs > 0 && <MakeDataset fileId={fileId} />}
            </>
          }
        >
          {build && <BuildState build={build} />}
          {versions.length > 0 && (
            <>
              <Summary file={trainingFile} />
              <Distribution key={trainingFile.version} file={trainingFile} />
              <Versions file={trainingFile} versions={versions} />
            </>
          )}
        </Page>
      )}
    </Loaded>
  );
}

/** A dataset of the newest version; where there is one already, it is opened. */
function MakeDataset({ fileId }: { fileId: string }) {
  const navigate = useNavigate();
  const importing = useImport();
  const open = (datasetId: string) =>
    void navigate({ to: "/datasets/$datasetId", params: { datasetId } });
  const make = () =>
    importing.mutate(
      { fileId },
      {
        onSuccess: ({ id }) => open(id),
        onError: (error) => {
          toastError(error);
          if (error instanceof ApiProblem && error.code === "duplicate_key")
            open((error.details as { dataset_id: string }).dataset_id);
        },
      },
    );
  return (
    <GroupButton needs="writers" kind="primary" disabled={importing.isPending} onClick={make}>
      Make a dataset
    </GroupButton>
  );
}

const Summary = ({ file }: { file: TrainingFile }) => (
  <Card className="p-4">
    <Figures>
      <Figure
        label="Conversations"
        note={`${counted(file.human_reviewed_count, "was", "were")} reviewed`}
      >
        {count(file.conversation_count)}
      </Figure>
      <Figure label="Trainable answers" note={`of ${count(file.total_training_pairs)} turns`}>
        {count(file.trainable_pairs)}
      </Figure>
      <Figure label="Average score" note={rangeOf(file)}>
        {file.avg_quality_score?.toFixed(2) ?? "none"}
      </Figure>
      <Figure label="Size" note={`JSON ${bytes(file.json_file_size)}`}>
        {bytes(file.jsonl_file_size)}
      </Figure>
    </Figures>
  </Card>
);

const rangeOf = ({ min_quality_score: least, max_quality_score: most }: TrainingFile) =>
  least === null || most === null ? undefined : `from ${least.toFixed(1)} to ${most.toFixed(1)}`;
