"""The model card: the adapter's verdict, data, losses, settings, use and limits."""

from __future__ import annotations

from typing import Any

CARD_SETTINGS = (
    "method", "rank", "alpha", "dropout", "target_modules", "epochs", "batch_size",
    "learning_rate", "schedule", "warmup_fraction", "weight_decay", "max_seq_length", "seed",
)  # fmt: skip


def model_card(summary: dict[str, Any]) -> str:
    """A README.md in the hub's format, from the figures of results.json alone."""
    base = summary["base_model"]
    revision = summary["settings"]["base_model_revision"]
    rank = summary["checks"]["vllm_max_lora_rank"]
    parts = [
        _header(summary),
        f"# LoRA adapter for {base}\n",
        f"**{summary['verdict']['headline']}**\n",
        "Trained by Bright Run on assistant answers only.",
        f"Base revision: `{revision or 'unpinned'}`.",
        f"Status: {summary['status']} ({summary['stopped_because'].replace('_', ' ')}) after "
        f"{summary['steps']} of {summary['total_steps']} steps; the weights are those of step "
        f"{summary['published_step']}.\n",
        "## Data\n",
        _table(_data_rows(summary["dataset"])),
        "## Verdict\n",
        _table(_verdict_rows(summary["verdict"], summary["held_out"])),
        f"{summary['verdict']['basis']}\n",
        "## Losses (nats per answer token)\n",
        _table(_loss_rows(summary)),
        "## Settings\n",
        _table([(name, summary["settings"][name]) for name in CARD_SETTINGS]),
        "## Use\n",
        "With PEFT: load the base model at the revision above, then "
        "`PeftModel.from_pretrained(base, <this folder>)`.",
        f"With vLLM: `vllm serve <base> --enable-lora --max-lora-rank {rank} "
        "--lora-modules adapter=<this folder>`.",
        "Prompts must be written with the chat template in this folder.\n",
        "## Limits\n",
        "The held-out loss measures likeness to held-out conversations of the same dataset, "
        "not safety or truth. Answers need the same review as those of the base model, whose "
        "licence and limits apply. `manifest.json` lists every file with its SHA-256.",
    ]
    return "\n".join(parts) + "\n"


def _header(summary: dict[str, Any]) -> str:
    base = summary["settings"]["base_model"]
    lines = ["---", "library_name: peft", "pipeline_tag: text-generation", "tags: [lora]"]
    return "\n".join([*lines, *([f"base_model: {base}"] if base else []), "---", ""])


def _data_rows(dataset: dict[str, Any]) -> list[tuple[str, Any]]:
    return [
        ("training pairs", dataset["train_pairs"]),
        ("held-out pairs", dataset["validation_pairs"]),
        ("answer tokens per epoch", dataset["target_tokens_per_epoch"]),
        ("pairs that lost old turns", dataset["pairs_with_dropped_history"]),
        ("pairs refused: answer cut off", dataset["cut_off"]),
        ("pairs refused: too long", dataset["pairs_too_long"]),
        ("pairs refused: the chat template cannot teach them", dataset["refused_by_template"]),
    ]


def _loss_rows(summary: dict[str, Any]) -> list[tuple[str, Any]]:
    names = {
        "first_loss": "first training step",
        "final_loss": "last training step",
    }
    return [(label, _figure(summary[key])) for key, label in names.items()]


def _verdict_rows(verdict: dict[str, Any], held_out: dict[str, Any]) -> list[tuple[str, Any]]:
    """The comparison with the base model, on the held-out rows."""
    score = "none" if verdict["score"] is None else f"{verdict['score']}/5 ({verdict['quality']})"
    low, high = (_figure(held_out[f"difference_{end}"]) for end in ("low", "high"))
    return [
        ("score", score),
        ("held-out loss of the base", _figure(held_out["base_loss"])),
        ("held-out loss of this adapter", _figure(held_out["adapter_loss"])),
        ("difference", _figure(held_out["difference"])),
        ("95 % interval of the difference", f"{low} to {high}"),
        ("held-out answer tokens", held_out["tokens"]),
        ("method", held_out["method"]),
    ]


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"


def _table(rows: list[tuple[str, Any]]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows), ""])
