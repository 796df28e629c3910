"""Alarms: what they watch, whom they tell, which page helps; dead letters; the dashboard."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from brightrun.core.metrics import Name
from infra.components.dashboard import BUSINESS
from infra.settings import StageSettings
from infra.stacks.data import DataStack
from tests.infra.templates import API, DATA, TRAINING, WORKFLOWS, Templates, text

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
BUSINESS_METRICS = "BrightRun/dev"


def alarms(templates: Templates) -> list[dict[str, Any]]:
    return [
        body["Properties"]
        for _, _, body in templates.all()
        if body["Type"] == "AWS::CloudWatch::Alarm"
    ]


def test_each_failure_that_matters_has_an_alarm(templates: Templates) -> None:
    assert Counter((one["Namespace"], one["MetricName"]) for one in alarms(templates)) == {
        ("AWS/ApiGateway", "5xx"): 1,
        ("AWS/ApiGateway", "Latency"): 1,
        ("AWS/Lambda", "Errors"): 9,
        ("AWS/Lambda", "Throttles"): 1,
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): 2,
        ("AWS/States", "ExecutionsFailed"): 4,
        ("AWS/States", "ExecutionsTimedOut"): 4,
        (BUSINESS_METRICS, "ClaudeFailing"): 1,
        (BUSINESS_METRICS, "UnfinishedRounds"): 1,
        (BUSINESS_METRICS, "TrainingJobsFailed"): 1,
        (BUSINESS_METRICS, "OrphansStopped"): 1,
    }


def test_every_alarm_tells_the_one_topic_when_it_rings_and_when_it_is_over(
    templates: Templates,
) -> None:
    for alarm in alarms(templates):
        assert [text(action) for action in alarm["AlarmActions"]] == [f"{DATA}:AlarmTopicArn"]
        assert alarm["OKActions"] == alarm["AlarmActions"]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_every_alarm_names_a_runbook_that_there_is(templates: Templates) -> None:
    for alarm in alarms(templates):
        _, _, page = alarm["AlarmDescription"].rpartition(". ")
        assert page.startswith("docs/runbooks/")
        assert (ROOT / page).is_file(), alarm["AlarmDescription"]


def test_every_runbook_is_mentioned_where_it_is_needed(templates: Templates) -> None:
    described = " ".join(alarm["AlarmDescription"] for alarm in alarms(templates))
    documents = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md")]
    for page in (ROOT / "docs" / "runbooks").glob("*.md"):
        linked = any(page.name in one.read_text("utf-8") for one in documents if one != page)
        assert linked or page.name in described, page.name


def test_cloudwatch_may_use_the_topic_and_its_key_and_nobody_else_may_publish(
    templates: Templates,
) -> None:
    (key,) = templates.of_type("AWS::KMS::Key").values()
    (policy,) = templates.of_type("AWS::SNS::TopicPolicy").values()
    (topic,) = templates.of_type("AWS::SNS::Topic").values()
    assert topic["Properties"]["KmsMasterKeyId"]
    assert key["Properties"]["EnableKeyRotation"] is True
    for statements, action in (
        (key["Properties"]["KeyPolicy"]["Statement"], "kms:GenerateDataKey"),
        (policy["Properties"]["PolicyDocument"]["Statement"], "sns:Publish"),
    ):
        (allowed,) = [
            one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        ]
        assert action in allowed["Action"]
        assert allowed["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


@pytest.mark.parametrize(("email", "subscriptions"), [("", 0), ("ops@example.com", 1)])
def test_an_address_that_is_named_is_subscribed(email: str, subscriptions: int) -> None:
    settings = StageSettings(alarm_email=email)
    app = App(context=json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"])
    env = Environment(region=settings.region)
    stack = DataStack(app, DATA, settings=settings, env=env)
    Template.from_stack(stack).resource_count_is("AWS::SNS::Subscription", subscriptions)


def test_what_events_call_has_a_queue_for_what_fails(templates: Templates) -> None:
    for stack, function in ((TRAINING, "training_events"), (WORKFLOWS, "sweep_objects")):
        (queue,) = templates.of_type("AWS::SQS::Queue", stack)
        body = templates.of_type("AWS::SQS::Queue", stack)[queue]["Properties"]
        assert body["SqsManagedSseEnabled"] is True
        assert body["MessageRetentionPeriod"] == 14 * 24 * 3600
        arn = {"Fn::GetAtt": [queue, "Arn"]}
        assert templates.functions()[function]["DeadLetterConfig"] == {"TargetArn": arn}
        rules = templates.of_type("AWS::Events::Rule", stack).values()
        targets = [target for rule in rules for target in rule["Properties"]["Targets"]]
        assert targets
        assert all(target["DeadLetterConfig"] == {"Arn": arn} for target in targets)


def test_no_function_that_is_called_by_events_lacks_a_queue(
    templates: Templates, record_property: Callable[[str, object], None]
) -> None:
    called = {
        logical_id
        for rule in templates.of_type("AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
        for logical_id in [target["Arn"]["Fn::GetAtt"][0]]
    }
    functions = templates.of_type("AWS::Lambda::Function")
    assert {one for one in called if "DeadLetterConfig" in functions[one]["Properties"]} == called
    assert len(called) == 2
    record_property("samples", len(called))


def test_the_dashboard_shows_batches_claude_spend_and_gpus(templates: Templates) -> None:
    (dashboard,) = templates.of_type("AWS::CloudWatch::Dashboard", API).values()
    body = json.dumps(dashboard["Properties"]["DashboardBody"])
    for title in BUSINESS:
        assert title in body
    shown = {name for metrics, _ in BUSINESS.values() for _, name, _ in metrics}
    assert shown <= set(get_args(Name))
    assert {"BatchesCompleted", "ClaudeLatency", "ClaudeCost", "GpuUtilization"} <= shown
    assert BUSINESS_METRICS in body
