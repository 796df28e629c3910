"""Settings: strings in, ranges checked, typing mistakes named; every recipe file is valid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training_container.trainer.config import (
    RECIPES_DIR,
    RunConfig,
    load_recipe,
    recipe_settings,
    run_config,
)
from training_container.trainer.contract import JobPaths, load_config
from training_container.trainer.errors import ConfigError

RECIPES = sorted(RECIPES_DIR.glob("*.yaml"))


def config_of(root: Path, hyperparameters: Any) -> RunConfig:
    path = root / "input" / "config" / "hyperparameters.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(hyperparameters), "utf-8")
    return load_config(JobPaths(root, {}))


def test_strings_become_numbers(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        {"epochs": "5", "learning_rate": "3e-5", "dropout": "0", "max_seconds": "90"},
    )  # fmt: skip
    assert (config.epochs, config.learning_rate, config.dropout) == (5, 3e-5, 0.0)
    assert config.max_seconds == 90.0


def test_values_encoded_twice_are_read(tmp_path: Path) -> None:
    config = config_of(
        tmp_path, {"method": '"rslora"', "template_variables": '{"enable_thinking": false}'}
    )
    assert config.method == "rslora"
    assert config.template_variables == {"enable_thinking": False}


def test_keys_of_the_sdk_are_ignored(tmp_path: Path) -> None:
    assert config_of(tmp_path, {"sagemaker_program": '"train.py"'}) == RunConfig()


def test_hyperparameters_override_the_recipe(tmp_path: Path) -> None:
    config = config_of(tmp_path, {"recipe": "lora_8b_one_h100", "epochs": "7"})
    assert (config.epochs, config.batch_size) == (7, 16)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"learning-rate": "1e-4"}, "did you mean 'learning_rate'"),
        ({"epochs": "0"}, r"epochs.*got '0'"),
        ({"epochs": "three"}, r"epochs.*got 'three'"),
        ({"learning_rate": "1"}, "learning_rate"),
        ({"rank": "1024"}, "rank"),
        ({"dropout": "1.0"}, "dropout"),
        ({"method": "dora"}, "method"),
        ({"max_cost_usd": "5"}, "max_cost_usd needs price_usd_per_hour"),
        (
            {"recipe": "llama"},
            "there is no recipe 'llama'; there are: lora_2b_one_l4, lora_8b_eight_a100",
        ),
        (["epochs"], "must hold a JSON object"),
        ({"template_date": "28.11.2026"}, "template_date: '28.11.2026' is not a day such as"),
        ({"template_variables": '{"messages": 1}'}, "'messages' is not yours to set"),
        ({"template_variables": "[1]"}, "template_variables"),
    ],
)
def test_unusable_settings_are_named(tmp_path: Path, given: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        config_of(tmp_path, given)


def test_missing_hyperparameters_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hyperparameters\.json is missing"):
        load_config(JobPaths(tmp_path, {}))


def test_smaller_of_time_and_money_is_the_budget() -> None:
    config = run_config({"max_seconds": 7200, "max_cost_usd": 3, "price_usd_per_hour": 6})
    assert config.budget_seconds() == 1800
    assert run_config({"max_seconds": 60}).budget_seconds() == 60
    assert run_config({}).budget_seconds() is None


def test_budget_may_change_between_attempts_and_the_learning_rate_may_not() -> None:
    base = run_config({}).trajectory()
    assert run_config({"max_seconds": 60}).trajectory() == base
    assert run_config({"learning_rate": 1e-3}).trajectory() != base
    assert run_config({"template_date": "2026-11-28"}).trajectory() != base


def test_all_six_recipes_are_found() -> None:
    assert len(RECIPES) == 6


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_is_valid(path: Path) -> None:
    recipe = load_recipe(path)
    assert run_config(recipe.training) == run_config(recipe_settings(path.stem))


@pytest.mark.parametrize(
    "text",
    [
        "description: long enough\ninstance_type: local_cpu\ntraining: {learn_rate: 1}\n",
        "description: long enough\ninstance_type: local_cpu\ntraining: {}\nextra: 1\n",
        "description: long enough\ninstance_type: p4d\ntraining: {}\n",
        "description: [",
    ],
)
def test_recipe_with_an_unknown_key_or_value_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=r"recipe bad\.yaml"):
        load_recipe(path)


def test_channels_and_folders_follow_the_environment(tmp_path: Path) -> None:
    paths = JobPaths.from_environment(
        {"SM_ML_ROOT": str(tmp_path), "SM_CHANNEL_MODEL": "/weights", "TRAINING_JOB_NAME": "j"}
    )
    assert paths.channel("model") == Path("/weights")
    assert paths.channel("training") == tmp_path / "input" / "data" / "training"
    assert paths.checkpoints.is_dir()
    assert paths.job_name == "j"
