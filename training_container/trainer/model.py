"""The base model, its tokenizer, and the adapter that is trained on it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from brightrun.sft.errors import ModelError
from training_container.trainer.config import RunConfig
from training_container.trainer.contract import JobPaths
from training_container.trainer.errors import ConfigError
from training_container.trainer.servable import ALL_LINEAR, require_attached

QLORA_NEEDS = "method 'qlora' needs a CUDA GPU and the bitsandbytes package"


def model_source(paths: JobPaths, config: RunConfig) -> dict[str, Any]:
    """Where the base model comes from: the `model` channel, else base_model at its revision."""
    channel = paths.channel("model")
    if channel.is_dir():
        return {"pretrained_model_name_or_path": str(channel), "local_files_only": True}
    if not config.base_model:
        raise ConfigError("no base model: give a 'model' channel or the base_model setting.")
    revision = {"revision": config.base_model_revision} if config.base_model_revision else {}
    return {"pretrained_model_name_or_path": config.base_model, **revision}


def base_model_name(source: dict[str, Any], config: RunConfig) -> str:
    """The base model's name for the record: `base_model`, else the name of the local folder."""
    return config.base_model or Path(source["pretrained_model_name_or_path"]).name


def load_tokenizer(source: dict[str, Any]) -> Any:
    """The base model's own tokenizer; ModelError when there is none."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(**source)
    except (OSError, ValueError) as error:
        name = source["pretrained_model_name_or_path"]
        raise ModelError(f"no tokenizer can be loaded from {name}: {error}") from error


def build_model(source: dict[str, Any], config: RunConfig, device: Any) -> Any:
    """The frozen base model with a fresh adapter, on the device, in bf16 on a GPU.

    The adapter computes in the base's dtype; its fp32 masters live in the optimizer. Weights are
    read from safetensors only and no code that comes with a model is run. Raises ConfigError for
    qlora without what it needs, ModelError when the weights cannot be loaded.
    """
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    from training_container.trainer.attention import attention_for

    disable_progress_bar()
    torch.manual_seed(config.seed)
    quantized = _quantization(device) if config.method == "qlora" else {}
    try:
        base = AutoModelForCausalLM.from_pretrained(
            **source,
            dtype=compute_dtype(device),
            attn_implementation=attention_for(device),
            use_safetensors=True,
            trust_remote_code=False,
            **quantized,
        )
    except (OSError, ValueError) as error:
        name = source["pretrained_model_name_or_path"]
        raise ModelError(f"no model can be loaded from {name}: {error}") from error
    return attach_adapter(base if quantized else base.to(device), config, source)


def compute_dtype(device: Any) -> Any:
    """What the model computes in: bf16 on a GPU, fp32 on a CPU, where bf16 gains nothing."""
    import torch

    return torch.bfloat16 if device.type == "cuda" else torch.float32


def _quantization(device: Any) -> dict[str, Any]:
    import torch
    from transformers import BitsAndBytesConfig

    if device.type != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError(f"{QLORA_NEEDS}; use 'lora' or 'rslora' here.")
    nf4 = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": nf4, "device_map": {"": device.index or 0}}


def attach_adapter(base: Any, config: RunConfig, source: dict[str, Any]) -> Any:
    """The base model with a new LoRA adapter, which has no effect yet.

    Raises ModelError, also for an adapter that vLLM would not serve: training would be in vain.
    """
    from peft import LoraConfig, get_peft_model

    model: Any
    targets = config.target_modules
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=targets if targets == ALL_LINEAR else targets.split(","),
        use_rslora=config.method == "rslora",
        bias="none",
    )
    try:
        # fp32 adapters under a bf16 base would double what is stored for the backward pass.
        model = get_peft_model(base, lora, autocast_adapter_dtype=False)
    except ValueError as error:
        raise ModelError(f"target_modules '{targets}' cannot be adapted: {error}") from error
    require_attached(model)
    peft_config: Any = model.peft_config["default"]
    peft_config.base_model_name_or_path = base_model_name(source, config)
    peft_config.revision = config.base_model_revision or None
    if targets == ALL_LINEAR:  # PEFT may have spelled out every layer's path
        names = peft_config.target_modules
        peft_config.target_modules = {name.rpartition(".")[2] for name in names}
    return model.train()


def enable_checkpointing(model: Any) -> None:
    """Recompute activations in the backward pass: 50 % more compute, a tenth of the memory."""
    model.get_base_model().activation_checkpointing_enable({"use_reentrant": False})


def trained_parameters(model: Any) -> dict[str, Any]:
    """The adapter's tensors by name, in a fixed order."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def local_revision_files(source: dict[str, Any]) -> list[Path]:
    """The files that identify a local base model: its settings and the index of its weights."""
    folder = Path(source["pretrained_model_name_or_path"])
    names = ("config.json", "tokenizer.json", "model.safetensors.index.json")
    return [folder / name for name in names if (folder / name).is_file()]
