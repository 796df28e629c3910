"""The plan of a batch, its cost and duration, before anything is sent to the server."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from cli.client import ApiClient, Document
from cli.scaffolding import ARCS, PERSONAS, TOPICS, choose_records

# Medians measured over v1's 155 stored conversations: $0.038 and 55 s each.
COST_PER_CONVERSATION_USD = Decimal("0.04")
SECONDS_PER_CONVERSATION = 55


@dataclass(frozen=True)
class BatchPlan:
    """The scaffolding chosen for a batch; every combination becomes one conversation."""

    persona_ids: tuple[str, ...]
    arc_ids: tuple[str, ...]
    topic_ids: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many conversations."""
        return len(self.persona_ids) * len(self.arc_ids) * len(self.topic_ids)

    @property
    def cost_usd(self) -> Decimal:
        """The expected cost of Claude's answers, in US dollars."""
        return self.count * COST_PER_CONVERSATION_USD

    def longest_s(self, workers: int) -> int:
        """The duration in seconds if each worker writes one conversation at a time.

        Only the server knows how many it gives each worker at once; it never takes longer.
        """
        rounds = -(-self.count // workers)
        return rounds * SECONDS_PER_CONVERSATION

    def source(self, template_id: str | None) -> dict[str, Any]:
        """Return the part of the request that names the conversations.

        A selection lets the server choose a template for each arc; one named template needs the
        combinations written out.
        """
        if template_id is None:
            return {
                "selection": {
                    "personas": list(self.persona_ids),
                    "emotional_arcs": list(self.arc_ids),
                    "training_topics": list(self.topic_ids),
                }
            }
        names = ("persona_id", "emotional_arc_id", "training_topic_id")
        combinations = product(self.persona_ids, self.arc_ids, self.topic_ids)
        sets = [
            {"templateId": template_id, "parameters": dict(zip(names, ids, strict=True))}
            for ids in combinations
        ]
        return {"parameterSets": sets}


def plan_batch(
    client: ApiClient, personas: list[str], arcs: list[str], topics: list[str]
) -> BatchPlan:
    """Look the names up; raises NotFoundError for one that is no active record."""
    return BatchPlan(
        persona_ids=_ids(choose_records(client, PERSONAS, personas)),
        arc_ids=_ids(choose_records(client, ARCS, arcs)),
        topic_ids=_ids(choose_records(client, TOPICS, topics)),
    )


def _ids(records: list[Document]) -> tuple[str, ...]:
    return tuple(str(record["id"]) for record in records)
