"""Makes the log group that SageMaker writes all training jobs of an account and region to.

Run by `make deploy` after `cdk deploy`. The group is no resource of the stack: its name is
SageMaker's own and the same for every stage and every other user of SageMaker, so that
CloudFormation could not make it a second time, and its retention is not ours to change where it
exists.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from infra.components.training_role import LOG_GROUP
from infra.outputs import read_outputs


def ensure_log_group(logs: Any, retention_days: int) -> str:
    """Create the group with this retention unless it exists; return what to tell the operator."""
    try:
        logs.create_log_group(logGroupName=LOG_GROUP)
    except logs.exceptions.ResourceAlreadyExistsException:
        groups = logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
        (found,) = [group for group in groups if group["logGroupName"] == LOG_GROUP]
        days = found.get("retentionInDays")
        kept = f"{days} days" if days else "without end, and billed"
        return f"The log group {LOG_GROUP} existed; it is left as it is and kept {kept}."
    logs.put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=retention_days)
    return f"The log group {LOG_GROUP} was made; it is kept {retention_days} days."


def main(outputs_file: str) -> int:
    """Look after the deployment whose `cdk deploy --outputs-file` is given."""
    import boto3

    outputs = read_outputs(Path(outputs_file))
    logs = boto3.client("logs", region_name=outputs["Region"])
    sys.stdout.write(ensure_log_group(logs, int(outputs["LogRetentionDays"])) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
