"""Every Lambda function: one shape, its own limits, and the environment that its code reads."""

from __future__ import annotations

import pytest

from brightrun.core import settings
from brightrun.wiring import (
    batch_jobs,
    build_training_file,
    finish_batch,
    finish_training,
    generate,
    process_next,
    start_training,
    sweep_objects,
    training_events,
    watch_training,
)
from brightrun.wiring import conversations as conversations_wiring
from brightrun.wiring import costs as costs_wiring
from brightrun.wiring import datasets as datasets_wiring
from brightrun.wiring import estimate as estimate_wiring
from brightrun.wiring import jobs as jobs_wiring
from brightrun.wiring import models as models_wiring
from brightrun.wiring import notifications as notifications_wiring
from brightrun.wiring import scaffolding as scaffolding_wiring
from brightrun.wiring import training_files as training_files_wiring
from brightrun.wiring import validate_dataset as validate_dataset_wiring
from infra.permissions import FUNCTION_GRANTS
from infra.routes import ROUTES
from tests.infra.templates import API, DATASETS, TRAINING, WORKFLOWS, Templates, text

pytestmark = pytest.mark.slow

TIMEOUTS_S = dict.fromkeys(ROUTES, 29) | {
    "process_next": 900,
    "finish_batch": 300,
    "validate_dataset": 900,
    "build_training_file": 900,
    "start_training": 600,
    "watch_training": 60,
    "finish_training": 900,
    "training_events": 300,
    "sweep_objects": 900,
}
MEMORY_MB = {
    "training_files": 1769,  # a whole vCPU, and room for a file of 50 MB
    "build_training_file": 1769,  # likewise, and for the hashes of 50,000 conversations
    "validate_dataset": 1769,  # a whole vCPU, which is what it is bound by
    "estimate": 1769,  # a whole vCPU tokenizes a dataset for its receipt
    "jobs": 1769,  # likewise, when a job is created
    "start_training": 3008,  # and ten times as much of it before an instance starts
    "finish_training": 1769,  # a whole vCPU unpacks and hashes the adapter
    "process_next": 256,  # paid while it waits for Claude
}
SETTINGS: dict[str, type[settings.Settings]] = {
    "generate": generate.GenerateSettings,
    "process_next": process_next.ProcessNextSettings,
    "finish_batch": finish_batch.FinishBatchSettings,
    "batch_jobs": batch_jobs.BatchJobsSettings,
    "conversations": conversations_wiring.ConversationsSettings,
    "scaffolding": scaffolding_wiring.ScaffoldingSettings,
    "training_files": training_files_wiring.TrainingFilesSettings,
    "build_training_file": build_training_file.BuildTrainingFileSettings,
    "datasets": datasets_wiring.DatasetsSettings,
    "validate_dataset": validate_dataset_wiring.ValidateDatasetSettings,
    "notifications": notifications_wiring.NotificationsSettings,
    "jobs": jobs_wiring.JobsSettings,
    "models": models_wiring.ModelsSettings,
    "costs": costs_wiring.CostsSettings,
    "estimate": estimate_wiring.EstimateFunctionSettings,
    "start_training": start_training.StartTrainingSettings,
    "watch_training": watch_training.WatchTrainingSettings,
    "finish_training": finish_training.FinishTrainingSettings,
    "training_events": training_events.TrainingEventsSettings,
    "sweep_objects": sweep_objects.SweepObjectsSettings,
}


def test_every_function_is_deployed_with_its_limits(templates: Templates) -> None:
    found = {name: body["Timeout"] for name, body in templates.functions().items()}
    assert found == TIMEOUTS_S


@pytest.mark.parametrize("name", sorted(FUNCTION_GRANTS))
def test_a_function_has_the_common_shape(templates: Templates, name: str) -> None:
    function = templates.functions()[name]
    assert function["Runtime"] == "python3.14"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "handler.lambda_handler"
    assert function["MemorySize"] == MEMORY_MB.get(name, 512)
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert [text(layer)[:-8] for layer in function["Layers"]] == ["Dependencies", "BrightRunCode"]
    assert "ReservedConcurrentExecutions" not in function


@pytest.mark.parametrize("name", sorted(FUNCTION_GRANTS))
def test_the_environment_is_what_the_functions_settings_read(
    templates: Templates, name: str
) -> None:
    environment = set(templates.functions()[name]["Environment"]["Variables"])
    fields = {field.upper() for field in SETTINGS[name].model_fields}
    assert environment == fields | {
        "POWERTOOLS_SERVICE_NAME",
        "POWERTOOLS_METRICS_NAMESPACE",
        "LOG_LEVEL",
    }


def test_a_table_or_bucket_variable_holds_the_physical_name(templates: Templates) -> None:
    for function in templates.functions().values():
        for variable, value in function["Environment"]["Variables"].items():
            if variable.endswith(("_TABLE", "_BUCKET")):
                construct = "".join(word.capitalize() for word in variable.split("_"))
                assert value == {"Fn::ImportValue": f"BrightRunData:{construct}Name"}


def test_the_state_machine_is_named_to_those_that_start_it(templates: Templates) -> None:
    machines = templates.of_type("AWS::StepFunctions::StateMachine", WORKFLOWS)
    ((logical_id, _),) = machines.items()
    functions = templates.functions()
    variable = "GENERATE_BATCH_STATE_MACHINE_ARN"
    for name in ("generate", "batch_jobs"):
        arn = text(functions[name]["Environment"]["Variables"][variable])
        assert arn == f"{WORKFLOWS}:ExportsOutputRef{logical_id}{arn[-8:]}"
    own = text(functions["finish_batch"]["Environment"]["Variables"][variable])
    assert own.endswith(":stateMachine:brightrun-generate-batch")


def test_no_stack_imports_a_layer_of_another(templates: Templates) -> None:
    for stack in (WORKFLOWS, DATASETS, TRAINING, API):
        assert len(templates.of_type("AWS::Lambda::LayerVersion", stack)) == 2
    assert not [
        function
        for function in templates.functions().values()
        if any("Ref" not in layer for layer in function["Layers"])
    ]
