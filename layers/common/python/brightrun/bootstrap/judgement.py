"""The composition root's part that takes orders for judgements; its clients are bootstrap's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brightrun import bootstrap
from brightrun.settings import GenerateSettings

if TYPE_CHECKING:
    from brightrun.services.order_judgements import JudgementDesk


def judgement_desk() -> JudgementDesk:
    """Build what the generate function orders judgements with."""
    from brightrun.repositories.batch_rows import BatchTables
    from brightrun.repositories.batches import DynamoBatches
    from brightrun.repositories.conversations import DynamoConversations
    from brightrun.repositories.objects import S3Objects
    from brightrun.repositories.request_keys import DynamoRequestKeys
    from brightrun.services.create_batch import JobStarter
    from brightrun.services.order_judgements import JudgementDesk

    environment = GenerateSettings.from_environment()
    database = bootstrap.dynamodb()
    tables = BatchTables(jobs=environment.batch_jobs_table, items=environment.batch_items_table)
    return JudgementDesk(
        conversations=DynamoConversations(database, environment.conversations_table),
        starter=JobStarter(
            DynamoBatches(database, tables),
            S3Objects(bootstrap.s3(), environment.batch_logs_bucket),
            DynamoRequestKeys(database, environment.idempotency_table),
            bootstrap.workflow(environment.generate_batch_state_machine_arn),
        ),
        clock=bootstrap.clock,
    )
