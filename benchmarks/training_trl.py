"""TRL's side of the training benchmark."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.training_timing import WARM_UP, Measured, now
from brightrun.sft.templates import Example
from training_container.trainer.config import RunConfig

TRL_DEVICE_BATCH = 8
"""TRL's default rows per device; more pairs a step come by its gradient accumulation."""
PACKED_LENGTH = 8192


def train_with_trl(
    base: Any,
    train: Sequence[Example],
    config: RunConfig,
    steps: int,
    device: torch.device,
    *,
    packed: bool,
) -> tuple[Measured, Any]:
    """TRL with its defaults, but for the learning rate and answers that are not cut.

    Its default max_length of 1,024 would cut most answers off, so none is set; packed, it packs
    best-fit into 8,192 tokens, or the longest sequence's length.
    """
    from datasets import Dataset, disable_progress_bars
    from peft import LoraConfig

    from training_container.tiny_model import sentences, tiny_tokenizer

    trl: Any = importlib.import_module("trl")
    disable_progress_bars()
    lora = LoraConfig(
        task_type="CAUSAL_LM", r=config.rank, lora_alpha=config.alpha, lora_dropout=0.0,
        target_modules="all-linear",
    )  # fmt: skip
    batches = _packed(train) if packed else _padded(config.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        arguments = trl.SFTConfig(
            output_dir=folder, max_steps=steps + WARM_UP, learning_rate=config.learning_rate,
            lr_scheduler_type="constant", save_strategy="no", report_to=[], disable_tqdm=True,
            logging_strategy="no", use_cpu=device.type == "cpu", bf16=device.type == "cuda",
            **batches,
        )  # fmt: skip
        trainer = trl.SFTTrainer(
            model=base,
            args=arguments,
            train_dataset=Dataset.from_list([_row(example) for example in train]),
            processing_class=tiny_tokenizer(list(sentences(0, 50)), "chatml", 600),
            peft_config=lora,
        )
        measured = _timed(trainer, device)
        trainer.train()
    for figures in (measured.seconds, measured.tokens, measured.pairs):
        del figures[:WARM_UP]
    return measured, trainer.model


def _packed(train: Sequence[Example]) -> dict[str, Any]:
    longest = max(len(example.ids) for example in train)
    return {
        "packing": True,
        "max_length": max(PACKED_LENGTH, longest),
        "per_device_train_batch_size": 1,
    }


def _padded(batch: int) -> dict[str, Any]:
    rows = min(TRL_DEVICE_BATCH, batch)
    return {
        "max_length": None,
        "per_device_train_batch_size": rows,
        "gradient_accumulation_steps": batch // rows,
    }


def _row(example: Example) -> dict[str, list[int]]:
    labels = [-100] * len(example.ids)
    for start, end in example.spans:
        labels[start:end] = example.ids[start:end]
    return {"input_ids": example.ids, "labels": labels}


def _timed(trainer: Any, device: torch.device) -> Measured:
    """Measure every step of a transformers Trainer, counting what is not padding."""
    from transformers import TrainerCallback

    measured = Measured()

    class Clock(TrainerCallback):  # type: ignore[misc, unused-ignore]
        """Stamps the beginning and the end of every optimizer step."""

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            measured.tokens.append(0)
            measured.pairs.append(0)
            self.began = now(device)

        def on_step_end(self, *_: Any, **__: Any) -> None:
            measured.seconds.append(now(device) - self.began)

    trainer.add_callback(Clock())
    real: Callable[..., Any] = trainer.compute_loss

    def counted(model: Any, inputs: dict[str, torch.Tensor], *rest: Any, **named: Any) -> Any:
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        positions = inputs.get("position_ids")
        measured.tokens[-1] += ids.numel() if mask is None else int(mask.sum())
        measured.pairs[-1] += ids.shape[0] if positions is None else int((positions == 0).sum())
        return real(model, inputs, *rest, **named)

    trainer.compute_loss = counted
    return measured
