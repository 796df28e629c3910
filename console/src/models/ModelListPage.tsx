import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";

import { buttonClass } from "@/ui/Button";
import { bytes } from "@/ui/format";
import { List } from "@/ui/List";
import { Page } from "@/ui/Page";
import { Empty } from "@/ui/states";
import { Td, Th } from "@/ui/Table";
import { Time } from "@/ui/Time";

import { type Model, modelListQuery } from "./queries";
import { scoreText, VerdictBadge } from "./verdict";

/** The adapters that trainings have delivered, newest first. */
export const ModelListPage = () => (
  <Page title="Models">
    <List
      query={useInfiniteQuery(modelListQuery())}
      caption="Models"
      head={
        <>
          <Th>Name</Th>
          <Th>Against its base</Th>
          <Th>Score</Th>
          <Th>Base model</Th>
          <Th right>Size</Th>
          <Th>Delivered</Th>
        </>
      }
      row={(model) => <ModelCells model={model} />}
      none={
        <Empty title="No model yet">
          <p className="text-muted">Every training that succeeds delivers an adapter here.</p>
          <Link to="/training/new" className={buttonClass("primary")}>
            New training
          </Link>
        </Empty>
      }
    />
  </Page>
);

const ModelCells = ({ model }: { model: Model }) => (
  <>
    <Td className="min-w-56 font-medium">
      <Link to="/models/$modelId" params={{ modelId: model.id }} className="hover:underline">
        {model.name}
      </Link>
    </Td>
    <Td>
      <VerdictBadge verdict={model.verdict} />
    </Td>
    <Td className="whitespace-nowrap">{scoreText(model.verdict)}</Td>
    <Td className="text-muted">{model.base_model}</Td>
    <Td right className="whitespace-nowrap">
      {bytes(model.total_size)}
    </Td>
    <Td className="text-muted">
      <Time at={model.created_at} />
    </Td>
  </>
);
