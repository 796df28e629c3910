import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";

import { readNewBatchSearch } from "@/batches/search";
import { readConversationSearch, readDuplicateSearch } from "@/conversations/search";
import { readDatasetSearch } from "@/datasets/search";
import { readCoverageSearch } from "@/coverage/coverage";
import { readCallSearch, readFailureSearch } from "@/generation-log/search";
import { readDomainSearch, readScaffoldingSearch } from "@/scaffolding/search";
import { readCostSearch } from "@/costs/search";
import { readJobListSearch, readOrderSearch } from "@/training/search";
import { Empty, Failure, Skeleton } from "@/ui/states";

import { Layout } from "./Layout";

const root = createRootRoute({
  component: Layout,
  notFoundComponent: () => <Empty title="There is no such page" />,
});

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/batches" });
  },
});

const batches = createRoute({
  getParentRoute: () => root,
  path: "/batches",
  component: lazyRouteComponent(() => import("@/batches/BatchListPage"), "BatchListPage"),
});

const newBatch = createRoute({
  getParentRoute: () => root,
  path: "/batches/new",
  validateSearch: readNewBatchSearch,
  component: lazyRouteComponent(() => import("@/batches/NewBatchPage"), "NewBatchPage"),
});

const batch = createRoute({
  getParentRoute: () => root,
  path: "/batches/$jobId",
  component: lazyRouteComponent(() => import("@/batches/BatchPage"), "BatchPage"),
});

const conversations = createRoute({
  getParentRoute: () => root,
  path: "/conversations",
  validateSearch: readConversationSearch,
  component: lazyRouteComponent(
    () => import("@/conversations/ConversationListPage"),
    "ConversationListPage",
  ),
});

const duplicates = createRoute({
  getParentRoute: () => root,
  path: "/conversations/duplicates",
  validateSearch: readDuplicateSearch,
  component: lazyRouteComponent(() => import("@/conversations/DuplicatesPage"), "DuplicatesPage"),
});

const conversation = createRoute({
  getParentRoute: () => root,
  path: "/conversations/$conversationId",
  validateSearch: readConversationSearch,
  component: lazyRouteComponent(
    () => import("@/conversations/ConversationPage"),
    "ConversationPage",
  ),
});

const trainingFiles = createRoute({
  getParentRoute: () => root,
  path: "/training-files",
  component: lazyRouteComponent(
    () => import("@/training-files/TrainingFileListPage"),
    "TrainingFileListPage",
  ),
});

const trainingFile = createRoute({
  getParentRoute: () => root,
  path: "/training-files/$fileId",
  component: lazyRouteComponent(
    () => import("@/training-files/TrainingFilePage"),
    "TrainingFilePage",
  ),
});

const datasets = createRoute({
  getParentRoute: () => root,
  path: "/datasets",
  validateSearch: readDatasetSearch,
  component: lazyRouteComponent(() => import("@/datasets/DatasetListPage"), "DatasetListPage"),
});

const dataset = createRoute({
  getParentRoute: () => root,
  path: "/datasets/$datasetId",
  component: lazyRouteComponent(() => import("@/datasets/DatasetPage"), "DatasetPage"),
});

const dataPages = [trainingFiles, trainingFile, datasets, dataset];

const coverage = createRoute({
  getParentRoute: () => root,
  path: "/coverage",
  validateSearch: readCoverageSearch,
  component: lazyRouteComponent(() => import("@/coverage/CoveragePage"), "CoveragePage"),
});

const scaffolding = createRoute({
  getParentRoute: () => root,
  path: "/scaffolding",
  beforeLoad: () => {
    throw redirect({ to: "/scaffolding/$kind", params: { kind: "personas" } });
  },
});

const scaffoldingList = createRoute({
  getParentRoute: () => root,
  path: "/scaffolding/$kind",
  validateSearch: readScaffoldingSearch,
  component: lazyRouteComponent(
    () => import("@/scaffolding/ScaffoldingListPage"),
    "ScaffoldingListPage",
  ),
});

const scaffoldingRecord = createRoute({
  getParentRoute: () => root,
  path: "/scaffolding/$kind/$recordId",
  validateSearch: readDomainSearch,
  component: lazyRouteComponent(() => import("@/scaffolding/RecordPage"), "RecordPage"),
});

const consultant = createRoute({
  getParentRoute: () => root,
  path: "/scaffolding/consultant",
  validateSearch: readDomainSearch,
  component: lazyRouteComponent(() => import("@/scaffolding/ConsultantPage"), "ConsultantPage"),
});

const generationLog = createRoute({
  getParentRoute: () => root,
  path: "/generation-log",
  validateSearch: readCallSearch,
  component: lazyRouteComponent(
    () => import("@/generation-log/GenerationLogPage"),
    "GenerationLogPage",
  ),
});

const failures = createRoute({
  getParentRoute: () => root,
  path: "/generation-log/failures",
  validateSearch: readFailureSearch,
  component: lazyRouteComponent(
    () => import("@/generation-log/FailureListPage"),
    "FailureListPage",
  ),
});

const failure = createRoute({
  getParentRoute: () => root,
  path: "/generation-log/failures/$failureId",
  component: lazyRouteComponent(() => import("@/generation-log/FailurePage"), "FailurePage"),
});
const trainingJobs = createRoute({
  getParentRoute: () => root,
  path: "/training/jobs",
  validateSearch: readJobListSearch,
  component: lazyRouteComponent(
    () => import("@/training/TrainingJobListPage"),
    "TrainingJobListPage",
  ),
});

const newTraining = createRoute({
  getParentRoute: () => root,
  path: "/training/new",
  validateSearch: readOrderSearch,
  component: lazyRouteComponent(() => import("@/training/NewTrainingPage"), "NewTrainingPage"),
});

const trainingJob = createRoute({
  getParentRoute: () => root,
  path: "/training/jobs/$jobId",
  component: lazyRouteComponent(() => import("@/training/TrainingJobPage"), "TrainingJobPage"),
});

const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  component: lazyRouteComponent(() => import("@/models/ModelListPage"), "ModelListPage"),
});

const model = createRoute({
  getParentRoute: () => root,
  path: "/models/$modelId",
  component: lazyRouteComponent(() => import("@/models/ModelPage"), "ModelPage"),
});

const costs = createRoute({
  getParentRoute: () => root,
  path: "/costs",
  validateSearch: readCostSearch,
  component: lazyRouteComponent(() => import("@/costs/CostsPage"), "CostsPage"),
});

const notifications = createRoute({
  getParentRoute: () => root,
  path: "/notifications",
  component: lazyRouteComponent(
    () => import("@/notifications/NotificationListPage"),
    "NotificationListPage",
  ),
});

const trainingPages = [trainingJobs, newTraining, trainingJob, models, model, costs, notifications];

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    batches,
    newBatch,
    batch,
    conversations,
    duplicates,
    conversation,
    ...dataPages,
    coverage,
    scaffolding,
    scaffoldingList,
    scaffoldingRecord,
    consultant,
    generationLog,
    failures,
    failure,
    ...trainingPages,
  ]),
  defaultPendingComponent: () => <Skeleton />,
  defaultErrorComponent: ({ error }) => <Failure error={error as Error} />,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
