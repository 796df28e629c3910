"""The route that takes in conversations from files of the original."""

from __future__ import annotations

from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from brightrun.api.app import owner_of
from brightrun.api.import_models import ImportAnswer, ImportedDocument
from brightrun.bootstrap import training as bootstrap_training

router = APIGatewayHttpRouter()


@router.post("/api/conversations", status_code=201, tags=["Conversations"])
def import_conversations(body: ImportedDocument) -> ImportAnswer:
    """Store the conversations of a file, and enrich them like new ones.

    Every warning of every conversation is listed, and so is every conversation that is refused.
    """
    return ImportAnswer.of(
        bootstrap_training.conversation_importer().take(owner_of(router), body.document)
    )
