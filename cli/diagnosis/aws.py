"""A deployment on AWS: what keeps it from working, or from telling anybody that it does not."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from cli.config import Profile
from cli.diagnosis.api import TIMEOUT_S
from cli.diagnosis.claude import ask_claude, check_model
from cli.diagnosis.deployment import Deployment, find_deployment
from cli.diagnosis.finding import Finding
from cli.text import money

ACCEPTED_TYPES = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
]


def check_aws(profile: Profile) -> Iterator[Finding]:
    """Yield what an operator's AWS credentials can find out; without them, that it is unknown."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    session = boto3.Session(region_name=profile.region)
    try:
        caller = session.client("sts").get_caller_identity()
        yield Finding("AWS identity", "ok", f"{caller['Arn']} in {profile.region}.")
        deployment = find_deployment(session, profile)
    except (BotoCoreError, ClientError) as error:
        yield Finding(
            "AWS identity",
            "unknown",
            f"The deployment itself was not looked at: {error}",
            "Operators: run this with AWS credentials that may read the deployment's account.",
        )
        return
    if deployment is None:
        said = f"No stack in this account and region has the API {profile.api_url}."
        yield Finding("AWS deployment", "unknown", said, "Use the account it was deployed to.")
        return
    yield from check_deployment(deployment)


def check_deployment(deployment: Deployment) -> Iterator[Finding]:
    """Yield what each check finds; what may not be asked is unknown, and the others go on."""
    from botocore.exceptions import BotoCoreError, ClientError

    for name, check in CHECKS.items():
        try:
            yield from check(deployment)
        except (BotoCoreError, ClientError) as error:
            yield Finding(name, "unknown", f"This could not be found out: {error}")


def _claude(deployment: Deployment) -> Iterator[Finding]:
    provider = deployment.parameters.get("ClaudeProvider", "direct")
    model = deployment.parameters.get("ClaudeModel", "")
    if provider == "simulator":
        yield Finding("Claude", "warning", "The simulator writes here, not Claude.")
        return
    if provider != "direct":
        yield check_model(model, datetime.now(UTC).date())
        return
    secret = deployment.ids("AWS::SecretsManager::Secret", "ClaudeApiKey")[0]
    key = _secret(deployment, secret).strip()
    if not key:
        remedy = f"aws secretsmanager put-secret-value --secret-id {secret} --secret-string KEY"
        yield Finding("Claude", "problem", "The secret holds no key of Claude.", remedy)
        return
    yield from ask_claude(key, deployment.parameters.get("ClaudeBaseUrl", ""), model)


def _secret(deployment: Deployment, secret: str) -> str:
    client = deployment.client("secretsmanager")
    try:
        return str(client.get_secret_value(SecretId=secret).get("SecretString", ""))
    except client.exceptions.ResourceNotFoundException:
        return ""


def _quotas(deployment: Deployment) -> Iterator[Finding]:
    """Which instances a training job may have: one kind is enough to train at all."""
    pages = (
        deployment.client("service-quotas")
        .get_paginator("list_service_quotas")
        .paginate(ServiceCode="sagemaker")
    )
    values = {quota["QuotaName"]: int(quota["Value"]) for page in pages for quota in page["Quotas"]}
    wanted = _training_quotas()
    usable = [f"{kind} ({values[name]})" for kind, name in wanted.items() if values.get(name)]
    if usable:
        listed = ", ".join(usable)
        yield Finding("training quota", "ok", f"Instances that may be rented: {listed}.")
        return
    cheapest = next(iter(wanted.values()))
    yield Finding(
        "training quota",
        "problem",
        "No GPU instance that the catalogue knows may be rented for training in this region.",
        f"Ask for one in the Service Quotas console: SageMaker, '{cheapest}'.",
    )


def _training_quotas() -> dict[str, str]:
    """The quota of each instance that can be trained on, by its type, cheapest first."""
    from brightrun.catalog.gpu_instances import gpu_types, training_quota

    instances = [one for gpu in gpu_types() for one in gpu.instances]
    instances.sort(key=lambda one: one.usd_per_hour)
    quotas = {one.type: training_quota(one.type, spot=False) for one in instances}
    return {kind: quota.name for kind, quota in quotas.items() if quota is not None}


def _buckets(deployment: Deployment) -> Iterator[Finding]:
    """Whether the console may upload to and download from the buckets that signed links name."""
    client = deployment.client("s3")
    closed = []
    for logical in ("DatasetsBucket", "TrainingFilesBucket", "ModelsBucket"):
        for bucket in deployment.ids("AWS::S3::Bucket", logical):
            try:
                client.get_bucket_cors(Bucket=bucket)
            except client.exceptions.ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchCORSConfiguration":
                    raise
                closed.append(bucket)
    if closed:
        said = f"The console's pages may not use the links of {', '.join(closed)}."
        yield Finding("bucket CORS", "problem", said, "Deploy again: `make deploy`.")
    else:
        yield Finding("bucket CORS", "ok", "The console's pages may upload and download.")


def _log_group(deployment: Deployment) -> Iterator[Finding]:
    name = "/aws/sagemaker/TrainingJobs"
    found = deployment.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next((one for one in found if one["logGroupName"] == name), None)
    if group is None:
        said = f"There is no log group {name}: a training job that fails would leave no log."
        yield Finding("training log", "problem", said, "Deploy again: `make deploy`.")
    elif "retentionInDays" not in group:
        said = f"{name} keeps its logs for ever."
        yield Finding("training log", "warning", said, "Give it a retention.")
    else:
        yield Finding("training log", "ok", f"{name} exists, {group['retentionInDays']} days.")


def _alarms(deployment: Deployment) -> Iterator[Finding]:
    names = deployment.ids("AWS::CloudWatch::Alarm")
    pages = (
        deployment.client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmTypes=["MetricAlarm"])
    )
    alarms = [one for page in pages for one in page["MetricAlarms"] if one["AlarmName"] in names]
    silent = [one["AlarmName"] for one in alarms if not one.get("AlarmActions")]
    ringing = [one["AlarmName"] for one in alarms if one.get("StateValue") == "ALARM"]
    topics = {action for one in alarms for action in one.get("AlarmActions", [])}
    readers = sum(_confirmed(deployment, topic) for topic in topics)
    if silent or not readers:
        said = (
            f"{len(silent)} of {len(alarms)} alarms tell nobody."
            if silent
            else f"{len(alarms)} alarms tell a topic that nobody has subscribed to."
        )
        remedy = "Deploy with -c alarm_email=ADDRESS, and confirm the mail that AWS sends."
        yield Finding("alarms", "warning", said, remedy)
    else:
        yield Finding("alarms", "ok", f"{len(alarms)} alarms reach {readers} subscribers.")
    for name in ringing:
        yield Finding("alarm", "problem", f"{name} is ringing.", "Its description says what to do.")


def _confirmed(deployment: Deployment, topic: str) -> int:
    pages = (
        deployment.client("sns")
        .get_paginator("list_subscriptions_by_topic")
        .paginate(TopicArn=topic)
    )
    subscriptions = [one for page in pages for one in page["Subscriptions"]]
    return sum(one["SubscriptionArn"].startswith("arn:") for one in subscriptions)


def _image(deployment: Deployment) -> Iterator[Finding]:
    """Whether the training image is one that SageMaker's GPU instances can run."""
    uri = _training_image(deployment)
    if uri is None or ".dkr.ecr." not in uri:
        yield Finding("training image", "unknown", f"{uri or 'It'} is not in this account's ECR.")
        return
    architecture = _architecture(deployment, uri)
    if architecture == "amd64":
        yield Finding("training image", "ok", "The training image is there, for amd64.")
        return
    yield Finding(
        "training image",
        "problem",
        f"{uri} is for {architecture or 'no machine: it is not there'}; GPU instances are amd64.",
        "Build it with --platform linux/amd64, as `cdk deploy` does.",
    )


def _training_image(deployment: Deployment) -> str | None:
    for name in deployment.ids("AWS::Lambda::Function", "StartTraining"):
        settings = deployment.client("lambda").get_function_configuration(FunctionName=name)
        image = settings.get("Environment", {}).get("Variables", {}).get("TRAINING_IMAGE")
        if image:
            return str(image)
    return None


def _architecture(deployment: Deployment, uri: str) -> str | None:
    import httpx2

    path = uri.split("/", 1)[1]
    name, _, digest = path.partition("@")
    repository, _, tag = name.partition(":")
    wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
    ecr = deployment.client("ecr")
    images = ecr.batch_get_image(
        repositoryName=repository, imageIds=[wanted], acceptedMediaTypes=ACCEPTED_TYPES
    )["images"]
    if not images:
        return None
    config = json.loads(images[0]["imageManifest"])["config"]["digest"]
    link = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=config)
    answer = httpx2.get(link["downloadUrl"], timeout=TIMEOUT_S, follow_redirects=True)
    architecture: Any = answer.raise_for_status().json().get("architecture")
    return str(architecture)


def _budgets(deployment: Deployment) -> Iterator[Finding]:
    """Whether anything but each order's own cap limits what is spent."""
    named = {"a user": "OwnerBudgetUsd", "the deployment": "DeploymentBudgetUsd"}
    given = {whose: deployment.parameters.get(name) for whose, name in named.items()}
    limits = [f"{whose} {money(float(amount))}" for whose, amount in given.items() if amount]
    if limits:
        yield Finding("budgets", "ok", f"The most for a month: {', '.join(limits)}.")
        return
    said = "No budget: only the caps of orders limit what is spent."
    remedy = "Deploy with OPTIONS='--parameters BrightRunApi:DeploymentBudgetUsd=AMOUNT'."
    yield Finding("budgets", "warning", said, remedy)


CHECKS: dict[str, Callable[[Deployment], Iterator[Finding]]] = {
    "Claude": _claude,
    "training quota": _quotas,
    "training log": _log_group,
    "training image": _image,
    "bucket CORS": _buckets,
    "alarms": _alarms,
    "budgets": _budgets,
}
