"""The report of a generation that failed: the original's JSON, so that its readers read ours."""

from __future__ import annotations

from typing import Any

from brightrun.domain.batch import BatchItem
from brightrun.domain.claude import MAX_OUTPUT_TOKENS, Completion
from brightrun.domain.generation_records import FailureType
from brightrun.domain.prompt_assembly import Prompt

_ANALYSES = {
    "end_turn": "Claude ended the answer by itself.",
    "max_tokens": "The answer reached the limit on output tokens.",
    "refusal": "Claude declined to write the conversation.",
    "model_context_window_exceeded": "Prompt and answer did not fit the context window.",
}
_FAR_BELOW_LIMIT = 0.8


def failure_report(
    item: BatchItem,
    prompt: Prompt,
    completion: Completion | None,
    *,
    model: str,
    failure_type: FailureType,
    reason: str,
    message: str,
    pattern: str | None,
    timestamp: str,
) -> dict[str, Any]:
    """Build the report (the original's part 4.5); unknown values are null, never invented."""
    stop_reason = completion.stop_reason if completion else None
    return {
        "error_report": {
            "failure_type": failure_type,
            "reason": reason,
            "stop_reason": stop_reason,
            "stop_reason_analysis": _stop_reason_analysis(stop_reason),
            "truncation_pattern": pattern,
            "truncation_details": message if failure_type == "truncation" else None,
            "error_message": message,
            "timestamp": timestamp,
            "analysis": _token_analysis(completion),
        },
        "request_context": {
            "model": model,
            "temperature": None,
            "max_tokens": MAX_OUTPUT_TOKENS,
            "structured_outputs_enabled": True,
            "prompt_length": len(prompt.user),
            "system_prompt": prompt.system,
            "prompt": prompt.user,
        },
        "raw_response": completion.described() if completion else None,
        "extracted_content": completion.text if completion else None,
        "scaffolding_context": {
            "persona_id": item.persona_id,
            "emotional_arc_id": item.emotional_arc_id,
            "training_topic_id": item.training_topic_id,
            "template_id": item.template_id,
        },
    }


def _stop_reason_analysis(stop_reason: str | None) -> str:
    if stop_reason is None:
        return "No answer came, so there is no stop reason."
    return _ANALYSES.get(stop_reason, f"The stop reason {stop_reason} is not one we expect.")


def _token_analysis(completion: Completion | None) -> dict[str, Any]:
    if completion is None:
        return {
            "input_tokens": None,
            "output_tokens": None,
            "max_tokens_configured": MAX_OUTPUT_TOKENS,
            "tokens_remaining": None,
            "conclusion": "The call failed before an answer came.",
        }
    remaining = MAX_OUTPUT_TOKENS - completion.output_tokens
    return {
        "input_tokens": completion.input_tokens,
        "output_tokens": completion.output_tokens,
        "max_tokens_configured": MAX_OUTPUT_TOKENS,
        "tokens_remaining": remaining,
        "conclusion": _conclusion(completion.stop_reason, remaining),
    }


def _conclusion(stop_reason: str, remaining: int) -> str:
    if stop_reason == "max_tokens":
        return "The output token limit was reached; raise it or ask for fewer exchanges."
    if remaining > _FAR_BELOW_LIMIT * MAX_OUTPUT_TOKENS:
        return "The answer is far below the token limit; the limit is not the cause."
    return "The token counts alone do not tell the cause."
