"""The validation stage: all that is wrong with a conversation, as the original reports it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from brightrun.domain.conversation_faults import metadata_faults, turn_faults
from brightrun.domain.declared_arc import DeclaredArc
from brightrun.domain.enrichment_codes import CODES, FLAGGED, Issue

_KEPT = 50
"""Issues of each severity that a report lists: the report is part of a row of at most 400 KB."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The conversation, where it could be read, and its faults."""

    document: dict[str, Any] | None
    issues: tuple[Issue, ...]

    @property
    def blockers(self) -> list[Issue]:
        """Faults for which it cannot be enriched."""
        return [issue for issue in self.issues if CODES[issue.code].severity == "blocker"]

    @property
    def warnings(self) -> list[Issue]:
        """Faults that somebody should look at."""
        return [issue for issue in self.issues if CODES[issue.code].severity == "warning"]

    @property
    def flags(self) -> list[str]:
        """Names of the faults that a reviewer must see, sorted."""
        return sorted({FLAGGED[issue.code] for issue in self.issues if issue.code in FLAGGED})

    def report(self, conversation_id: str, validated_at: str) -> dict[str, Any]:
        """Write the validation report of the original's part 6; long lists are cut at 50."""
        blockers, warnings = self.blockers, self.warnings
        verdict = "cannot be enriched" if blockers else "can be enriched"
        return {
            "isValid": not blockers,
            "hasBlockers": bool(blockers),
            "hasWarnings": bool(warnings),
            "blockers": [issue.report() for issue in blockers[:_KEPT]],
            "warnings": [issue.report() for issue in warnings[:_KEPT]],
            "conversationId": conversation_id,
            "validatedAt": validated_at,
            "summary": f"It {verdict}: {len(blockers)} blockers, {len(warnings)} warnings.",
        }


def validate(text: str, arc: DeclaredArc | None) -> Validation:
    """Read a stored conversation and list its faults; `arc` is None where none was declared."""
    try:
        document = json.loads(text)
        # JSON can escape half a surrogate pair, which no file can hold.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        return Validation(None, (Issue("INVALID_JSON_SYNTAX", "", str(error)),))
    if not isinstance(document, dict):
        return Validation(None, (Issue("INVALID_JSON_SYNTAX", "", "it is not an object"),))
    return Validation(document, (*metadata_faults(document), *turn_faults(document, arc)))
