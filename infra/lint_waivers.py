"""What the linters of the templates find and what is accepted, each with its reason.

Every waiver names its resources one by one: a finding on a new resource is open until it is written
down here, and a line that answers no finding fails the tests.
"""

from __future__ import annotations

from typing import NamedTuple


class Waiver(NamedTuple):
    """A check by its id, why it may fail, and where: `Stack/LogicalId` without the CDK's hash."""

    check: str
    reason: str
    resources: tuple[str, ...]


FUNCTIONS = (
    "BrightRunApi/BatchJobsFunction",
    "BrightRunApi/ConversationsFunction",
    "BrightRunApi/CostsFunction",
    "BrightRunApi/DatasetsFunction",
    "BrightRunApi/EstimateFunction",
    "BrightRunApi/GenerateFunction",
    "BrightRunApi/JobsFunction",
    "BrightRunApi/ModelsFunction",
    "BrightRunApi/NotificationsFunction",
    "BrightRunApi/ScaffoldingFunction",
    "BrightRunApi/TrainingFilesFunction",
    "BrightRunWorkflows/FinishBatchFunction",
    "BrightRunWorkflows/ProcessNextFunction",
    "BrightRunWorkflows/SweepObjectsFunction",
    "BrightRunDatasets/BuildTrainingFileFunction",
    "BrightRunDatasets/ValidateDatasetFunction",
    "BrightRunTraining/FinishTrainingFunction",
    "BrightRunTraining/StartTrainingFunction",
    "BrightRunTraining/TrainingEventsFunction",
    "BrightRunTraining/WatchTrainingFunction",
)
CALLED_BY_EVENTS = (
    "BrightRunWorkflows/SweepObjectsFunction",
    "BrightRunTraining/TrainingEventsFunction",
)
CALLED_AND_WAITED_FOR = tuple(one for one in FUNCTIONS if one not in CALLED_BY_EVENTS)
TABLES = (
    "BrightRunData/BatchItemsTable",
    "BrightRunData/BatchJobsTable",
    "BrightRunData/BatchLogsTable",
    "BrightRunData/BudgetsTable",
    "BrightRunData/ConversationsTable",
    "BrightRunData/CostRecordsTable",
    "BrightRunData/DatasetsTable",
    "BrightRunData/FailedGenerationsTable",
    "BrightRunData/GenerationLogsTable",
    "BrightRunData/IdempotencyTable",
    "BrightRunData/ModelsTable",
    "BrightRunData/NotificationsTable",
    "BrightRunData/ReviewAuditTable",
    "BrightRunData/ScaffoldingTable",
    "BrightRunData/TrainingEventsTable",
    "BrightRunData/TrainingFilesTable",
    "BrightRunData/TrainingJobsTable",
    "BrightRunData/TrainingMetricsTable",
)
LOG_GROUPS = (
    "BrightRunApi/BatchJobsLogGroup",
    "BrightRunApi/ConversationsLogGroup",
    "BrightRunApi/CostsLogGroup",
    "BrightRunApi/DatasetsLogGroup",
    "BrightRunApi/EstimateLogGroup",
    "BrightRunApi/GenerateLogGroup",
    "BrightRunApi/HttpLogGroup",
    "BrightRunApi/JobsLogGroup",
    "BrightRunApi/ModelsLogGroup",
    "BrightRunApi/NotificationsLogGroup",
    "BrightRunApi/ScaffoldingLogGroup",
    "BrightRunApi/TrainingFilesLogGroup",
    "BrightRunWorkflows/FinishBatchLogGroup",
    "BrightRunWorkflows/GenerateBatchLogGroup",
    "BrightRunWorkflows/ProcessNextLogGroup",
    "BrightRunWorkflows/SweepObjectsLogGroup",
    "BrightRunDatasets/BuildTrainingFileLogGroup",
    "BrightRunDatasets/TrainingFileBuildLogGroup",
    "BrightRunDatasets/ValidateDatasetLogGroup",
    "BrightRunDatasets/ValidationLogGroup",
    "BrightRunTraining/FinishTrainingLogGroup",
    "BrightRunTraining/StartTrainingLogGroup",
    "BrightRunTraining/TrainAdapterLogGroup",
    "BrightRunTraining/TrainingEventsLogGroup",
    "BrightRunTraining/WatchTrainingLogGroup",
)

NO_RESERVED_CONCURRENCY = (
    "A reservation is taken from the account's limit, which is 10 in a new account, and from "
    "all other functions; the number of workers is bounded by the job and requests by the "
    "API's throttling."
)
NO_DEAD_LETTERS = (
    "API Gateway and Step Functions call it and wait for the answer, or try again: there is no "
    "event that could be lost."
)
NO_KEY_FOR_DEAD_LETTERS = (
    "Encrypted at rest by SQS's own key; its events hold names and states of training jobs, and "
    "EventBridge would need a key's policy to write them."
)
NO_VPC = (
    "Functions reach AWS's own endpoints and Anthropic's over TLS and nothing in a private "
    "network; a VPC would add a NAT gateway's price and path and protect nothing that IAM "
    "does not."
)
AWS_MANAGED_KEY = (
    "Encrypted at rest by a key of the account that AWS manages: a customer's key can be lost "
    "or disabled and with it all data, and is billed by request."
)
VARIABLES_ARE_NAMES = (
    "Variables hold names of resources and limits, no secret, and are encrypted by Lambda's "
    "own key; the Claude key is read from Secrets Manager."
)
LOGS_OF_A_LOG_BUCKET = (
    "It receives the access logs: logging its own requests would write logs about logs without end."
)
PAGES_CAN_BE_MADE_AGAIN = (
    "Pages come from this repository and their logs expire: nothing in it needs an older version."
)
CLOUDFRONTS_CERTIFICATE = (
    "The pages are served under CloudFront's own name and certificate, whose policy "
    "CloudFront fixes (AwsSolutions-CFR4); a domain of one's own brings a stricter policy."
)
NO_FIREWALL_FOR_PAGES = (
    "The pages are static, public and hold no data; the API has its own authorizer and "
    "throttling (AwsSolutions-CFR2)."
)
OUTPUT_OF_AN_IMPORT = (
    "Operators read the pool's id beside the API's address, in one place, whichever of the "
    "two pools it is; the export itself is one of two outputs, by condition."
)

WAIVERS = (
    Waiver("CKV_AWS_115", NO_RESERVED_CONCURRENCY, FUNCTIONS),
    Waiver("CKV_AWS_116", NO_DEAD_LETTERS, CALLED_AND_WAITED_FOR),
    Waiver(
        "CKV_AWS_27",
        NO_KEY_FOR_DEAD_LETTERS,
        ("BrightRunTraining/DeadLetters", "BrightRunWorkflows/DeadLetters"),
    ),
    Waiver("CKV_AWS_117", NO_VPC, FUNCTIONS),
    Waiver("CKV_AWS_173", VARIABLES_ARE_NAMES, FUNCTIONS),
    Waiver("CKV_AWS_119", AWS_MANAGED_KEY, TABLES),
    Waiver("CKV_AWS_158", AWS_MANAGED_KEY, LOG_GROUPS),
    Waiver("CKV_AWS_149", AWS_MANAGED_KEY, ("BrightRunWorkflows/ClaudeApiKeySecret",)),
    Waiver(
        "CKV_AWS_18",
        LOGS_OF_A_LOG_BUCKET,
        ("BrightRunConsole/PageLogsBucket", "BrightRunData/AccessLogsBucket"),
    ),
    Waiver(
        "CKV_AWS_21",
        PAGES_CAN_BE_MADE_AGAIN,
        ("BrightRunConsole/PageLogsBucket", "BrightRunConsole/PagesBucket"),
    ),
    Waiver("CKV_AWS_174", CLOUDFRONTS_CERTIFICATE, ("BrightRunConsole/Pages",)),
    Waiver("CKV_AWS_68", NO_FIREWALL_FOR_PAGES, ("BrightRunConsole/Pages",)),
    Waiver("W6001", OUTPUT_OF_AN_IMPORT, ("BrightRunApi/UserPoolId",)),
)
