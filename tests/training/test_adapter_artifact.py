"""The published adapter is complete, hashed, loadable and servable, or the job fails."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from brightrun.sft.errors import ModelError
from brightrun.sft.templates import Example
from tests.training.jobs import environment, train_here, write_job
from training_container.trainer import verify
from training_container.trainer.chat import chat_format
from training_container.trainer.config import RunConfig
from training_container.trainer.contract import JobPaths, load_config
from training_container.trainer.dataset import load_dataset
from training_container.trainer.errors import ArtifactError
from training_container.trainer.model import build_model, load_tokenizer, model_source

FILES = {
    "adapter_model.safetensors", "adapter_config.json", "tokenizer.json", "tokenizer_config.json",
    "chat_template.jinja", "generation_config.json", "results.json", "README.md", "manifest.json",
}  # fmt: skip
HYPERPARAMETERS = {
    "base_model": "example/tiny-instruct",
    "base_model_revision": "0123abc",
    "price_usd_per_hour": "7.91",
    "epochs": "1",
    "validation_fraction": "0.3",
}


@pytest.fixture(scope="module")
def job(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_job(tmp_path_factory.mktemp("artifact") / "job", tiny_model, HYPERPARAMETERS)
    train_here(root)
    return root


@pytest.fixture
def artifact(job: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(job / "model", tmp_path / "model"))


def read_json(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_base_model_brings_neither_pickled_weights_nor_code(
    tiny_model: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    ran = tmp_path / "ran"
    (model / "modeling_evil.py").write_text(f"open({str(ran)!r}, 'w')\n", "utf-8")
    config = read_json(model / "config.json")
    config["auto_map"] = {"AutoModelForCausalLM": "modeling_evil.EvilForCausalLM"}
    (model / "config.json").write_text(json.dumps(config), "utf-8")
    source = {"pretrained_model_name_or_path": str(model), "local_files_only": True}
    build_model(source, RunConfig(), torch.device("cpu"))
    assert not ran.exists()

    weights = load_file(model / "model.safetensors")
    (model / "model.safetensors").unlink()
    torch.save(weights, model / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no model can be loaded"):
        build_model(source, RunConfig(), torch.device("cpu"))


def test_every_file_is_there_and_no_other(job: Path) -> None:
    assert {file.name for file in (job / "model").iterdir()} == FILES


def test_manifest_lists_every_file_with_its_size_and_hash(job: Path) -> None:
    listed = {f["path"]: f for f in read_json(job / "model" / "manifest.json")["files"]}
    assert set(listed) == FILES - {"manifest.json"}
    for name, entry in listed.items():
        data = (job / "model" / name).read_bytes()
        assert entry["bytes"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()


def test_manifest_says_what_it_was_made_from(job: Path) -> None:
    manifest = read_json(job / "model" / "manifest.json")
    dataset = job / "input" / "data" / "training" / "train.jsonl"
    assert manifest["base_model"]["id"] == "example/tiny-instruct"
    assert manifest["base_model"]["revision"] == "0123abc"
    assert manifest["dataset"][0]["sha256"] == hashlib.sha256(dataset.read_bytes()).hexdigest()
    assert manifest["versions"]["torch"] == torch.__version__
    assert manifest["settings"]["epochs"] == 1
    assert manifest["losses"]["final_loss"] > 0
    assert manifest["estimated_cost_usd"] > 0
    assert manifest["job"] == "test-job"


def test_adapter_names_its_base_model_and_revision(job: Path) -> None:
    settings = read_json(job / "model" / "adapter_config.json")
    assert settings["base_model_name_or_path"] == "example/tiny-instruct"
    assert settings["revision"] == "0123abc"


def test_adapter_loads_with_peft_on_the_base_model_and_changes_its_logits(
    job: Path, tiny_model: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(job / "model")
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What about the mortgage?"}],
        add_generation_prompt=True, return_tensors="pt", return_dict=False,
    )  # fmt: skip
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        before = base(input_ids=ids).logits
        after = PeftModel.from_pretrained(base, job / "model")(input_ids=ids).logits
    assert torch.isfinite(after).all()
    assert not torch.allclose(before, after)


def test_chat_template_is_the_one_that_was_trained_with(job: Path, tiny_model: Path) -> None:
    name = "chat_template.jinja"
    assert (job / "model" / name).read_bytes() == (tiny_model / name).read_bytes()


def test_generation_stops_at_the_trained_stop_tokens(job: Path, tiny_model: Path) -> None:
    from transformers import AutoTokenizer

    stop = AutoTokenizer.from_pretrained(tiny_model).convert_tokens_to_ids("<|im_end|>")
    assert stop in read_json(job / "model" / "generation_config.json")["eos_token_id"]


def test_model_card_shows_the_run(job: Path) -> None:
    card = (job / "model" / "README.md").read_text("utf-8")
    results = read_json(job / "model" / "results.json")
    assert "base_model: example/tiny-instruct" in card
    held_out = results["held_out"]
    assert f"| held-out loss of the base | {held_out['base_loss']:.4f} |" in card
    assert f"| held-out loss of this adapter | {held_out['adapter_loss']:.4f} |" in card
    assert f"| {held_out['difference_low']:.4f} to {held_out['difference_high']:.4f} |" in card
    assert results["verdict"]["basis"] in card
    assert "--max-lora-rank 8" in card


def test_model_card_begins_with_the_verdict(job: Path) -> None:
    card = (job / "model" / "README.md").read_text("utf-8")
    headline = read_json(job / "model" / "results.json")["verdict"]["headline"]
    title, first, *_ = [line for line in card.split("---\n")[2].splitlines() if line]
    assert title.startswith("# LoRA adapter")
    assert first == f"**{headline}**"
    assert headline.startswith("Better than its base")


def test_held_out_losses_are_those_of_the_base_and_of_the_written_adapter(
    job: Path, tiny_model: Path
) -> None:
    """Measured again from the files alone, by transformers and PEFT's own loss."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    examples = held_out_examples(job)
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    before = mean_loss_of(base, examples)
    after = mean_loss_of(PeftModel.from_pretrained(base, job / "model"), examples)
    measured = read_json(job / "model" / "results.json")["held_out"]
    assert measured["tokens"] == sum(example.targets() for example in examples)
    assert measured["base_loss"] == pytest.approx(before, abs=1e-4)
    assert measured["adapter_loss"] == pytest.approx(after, abs=1e-4)
    assert measured["difference"] == pytest.approx(after - before, abs=2e-4)
    assert measured["difference_low"] < measured["difference"] < measured["difference_high"]


def held_out_examples(job: Path) -> list[Example]:
    """The held-out examples of the job, read again."""
    paths = JobPaths.from_environment(environment(job))
    config = load_config(paths)
    tokenizer = load_tokenizer(model_source(paths, config))
    return load_dataset(paths, config, chat_format(tokenizer, {})).validation


def mean_loss_of(model: Any, examples: list[Example]) -> float:
    nats, tokens = 0.0, 0
    for example in examples:
        ids = torch.tensor([example.ids])
        with torch.no_grad():
            surprise = -model(input_ids=ids).logits[0].log_softmax(-1)
        for start, end in example.spans:
            nats += sum(float(surprise[at - 1, example.ids[at]]) for at in range(start, end))
            tokens += end - start
    return nats / tokens


def test_results_hold_the_checks(job: Path) -> None:
    checks = read_json(job / "model" / "results.json")["checks"]
    assert checks["finite"] is True
    assert checks["largest_logit_change"] > 0
    assert checks["parameters"] > 0


def test_values_that_are_not_finite_are_refused(artifact: Path) -> None:
    path = artifact / "adapter_model.safetensors"
    tensors = load_file(path)
    name = next(iter(tensors))
    tensors[name][0, 0] = float("nan")
    save_file(tensors, path)
    with pytest.raises(ArtifactError, match="holds values that are not finite"):
        verify.check_files(artifact)


@pytest.mark.parametrize(
    ("setting", "value", "complaint"),
    [
        ("use_dora", True, "use_dora"),
        ("modules_to_save", ["lm_head"], "modules_to_save"),
        ("bias", "all", "trained biases"),
        ("target_modules", ["q_proj", "embed_tokens"], "embed_tokens"),
        ("r", 600, "rank 600 is above 512"),
        ("r", 5, "not rank 5"),
    ],
)
def test_adapter_that_vllm_would_refuse_fails_the_job(
    artifact: Path, setting: str, value: Any, complaint: str
) -> None:
    path = artifact / "adapter_config.json"
    path.write_text(json.dumps({**read_json(path), setting: value}), "utf-8")
    with pytest.raises(ArtifactError, match=complaint):
        verify.check_files(artifact)


@pytest.mark.parametrize(("rank", "needed"), [(4, 8), (8, 8), (9, 16), (257, 320), (512, 512)])
def test_vllm_rank_is_the_next_that_it_takes(rank: int, needed: int) -> None:
    assert verify.vllm_max_lora_rank(rank) == needed


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda tensor: tensor + 1, "is not the one that was trained"),
        (lambda tensor: tensor[:, :-1].contiguous(), "PEFT cannot load"),
    ],
)
def test_file_that_is_not_the_trained_adapter_fails_the_job(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Any, complaint: str
) -> None:
    real = verify.check_files

    def damaged(folder: Path) -> dict[str, Any]:
        checks = real(folder)
        path = folder / "adapter_model.safetensors"
        save_file({name: change(tensor) for name, tensor in load_file(path).items()}, path)
        return checks

    monkeypatch.setattr(verify, "check_files", damaged)
    with pytest.raises(ArtifactError, match=complaint):
        train_here(write_job(tmp_path / "job", tiny_model, {"epochs": "1"}))


def test_adapter_that_changes_nothing_fails_the_job(tiny_model: Path, tmp_path: Path) -> None:
    root = write_job(tmp_path / "job", tiny_model, {"epochs": "1", "learning_rate": "1e-30"})
    with pytest.raises(ArtifactError, match="does not change a single logit"):
        train_here(root)
