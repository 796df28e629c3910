# Every target does its own set-up; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LAYER := build/layer.digest
NODE := node_modules/.package-lock.json
TRAINING := $(VENV)-train/.installed
PAGES := console/dist/index.html
CLIENT := $(VENV)-client/.installed
LINT := $(VENV)-lint/.installed
OUTPUTS ?= outputs.json

# The tests start hundreds of processes; without bytecode on disk each compiles all of this anew.
unexport PYTHONDONTWRITEBYTECODE

# What needs no engine, no synthesis and no training environment.
FAST := architecture unit contract handlers

.DEFAULT_GOAL := help
.PHONY: help setup synth console browser test-console diff deploy destroy smoke up down status logs backup restore repair demo test test-fast test-training test-sdk check bench-api bench-batch bench-economy bench-imports bench-peers bench-train bench-training-files bench-validate scoreboard openapi clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) $(LAYER) ## Install everything the other targets need

$(INSTALLED): requirements/dev.lock pyproject.toml
	@echo "Setting up the Python environment (about a minute, once)..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE): package-lock.json
	@npm ci --no-audit --no-fund --silent && touch $@

$(LAYER): requirements/layer.lock infra/bundling.py infra/bytecode.py infra/bytecode.mjs $(NODE) | $(INSTALLED)
	@echo "Building the Lambda layer for arm64 (a few seconds, once)..."
	@$(BIN)/python -m infra.bundling && touch $@

# torch comes alone and first, and is in no lock: which build of it fits depends on the machine, and
# with it in place nothing pulls another one. Everything else is installed by hash.
$(TRAINING): requirements/training.lock
	@echo "Setting up the training environment (torch: a minute or two, once)..."
	@test -x $(VENV)-train/bin/python || $(PYTHON) -m venv $(VENV)-train
	@$(VENV)-train/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	@$(VENV)-train/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/training.lock
	@touch $@

$(CLIENT): requirements/client.lock
	@echo "Setting up the generator of clients (a few seconds, once)..."
	@test -x $(VENV)-client/bin/python || $(PYTHON) -m venv $(VENV)-client
	@$(VENV)-client/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/client.lock
	@touch $@

$(LINT): requirements/lint.lock
	@echo "Setting up the linters of the templates (half a minute, once)..."
	@test -x $(VENV)-lint/bin/python || $(PYTHON) -m venv $(VENV)-lint
	@$(VENV)-lint/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/lint.lock
	@touch $@

SYNTH_INPUTS := $(shell find infra functions layers/common/python -name '*.py' -o -name '*.mjs' -o -name '*.json' -o -name '*.md' -o -name '*.toml') cdk.json

cdk.out/manifest.json: $(INSTALLED) $(LAYER) $(SYNTH_INPUTS)
	@echo "Synthesizing the CDK app, offline..."
	@$(BIN)/python -m infra.app
	@touch $@

synth: cdk.out/manifest.json ## Write the CloudFormation templates to cdk.out

console/node_modules/.package-lock.json: console/package-lock.json
	@echo "Setting up the console's packages (half a minute, once)..."
	@cd console && npm ci --no-audit --no-fund --silent && touch node_modules/.package-lock.json

$(PAGES): console/node_modules/.package-lock.json docs/openapi.json $(shell find console/src console/public -type f) console/index.html console/vite.config.ts console/tsconfig.json
	@echo "Building the console..."
	@cd console && npm run --silent build > dist.log 2>&1 || { cat dist.log; exit 1; }

console: $(PAGES) ## Build the console's pages

browser: ## Install Chromium where the browser tests find none
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null \
	  || { echo "Installing Chromium (once)..."; apt-get update -qq && apt-get install -y -qq chromium > /dev/null; } \
	  || { echo "The browser tests need Chromium: install your system's package chromium." >&2; exit 1; }

up: synth console ## Start the whole system on http://127.0.0.1:8610, in the background
	@$(BIN)/python -m local up

diff: synth ## Show what a deployment would change on AWS (OPTIONS)
	@node_modules/.bin/cdk diff $(OPTIONS)

deploy: synth console ## Deploy to AWS with the credentials at hand, and publish the console (OPTIONS="-c stage=prod")
	@node_modules/.bin/cdk deploy --all --outputs-file $(OUTPUTS) $(OPTIONS)
	@$(BIN)/python -m infra.training_log_group $(OUTPUTS)
	@$(BIN)/python -m infra.publish_console $(OUTPUTS)

destroy: synth ## Take a deployment down; data stays, DATA=delete removes it too (STAGE=dev REGION=us-east-1)
	@$(BIN)/python -m infra.destroy $(if $(STAGE),--stage $(STAGE)) $(if $(REGION),--region $(REGION)) $(if $(DATA),--data $(DATA))

smoke: synth console $(TRAINING) ## Go the whole path once on this machine; STAGE=smoke: on AWS, deployed and destroyed (REGION, YES=1)
	@$(BIN)/python -m smoke $(if $(STAGE),--stage $(STAGE) $(if $(REGION),--region $(REGION)) $(if $(YES),--yes),--local)

down: $(INSTALLED) ## Stop it; all data stays
	@$(BIN)/python -m local down

status: $(INSTALLED) ## Say what runs where
	@$(BIN)/python -m local status

logs: $(INSTALLED) ## Show the logs; FUNCTION=process_next, JOB=id, FOLLOW=1
	@$(BIN)/python -m local logs $(if $(FOLLOW),--follow) $(if $(FUNCTION),--function $(FUNCTION)) $(if $(JOB),--job $(JOB))

backup: $(INSTALLED) ## Write all data to FILE, else to brightrun-backup-TIME.tar.gz; not while it is up
	@$(BIN)/python -m local backup $(FILE)

restore: $(INSTALLED) ## Make the data folder of the backup FILE
	@test -n "$(FILE)" || { echo "Name the backup: make restore FILE=brightrun-backup-....tar.gz" >&2; exit 1; }
	@$(BIN)/python -m local restore $(FILE)

repair: $(INSTALLED) ## Set aside what is damaged in the data folder and keep the rest
	@$(BIN)/python -m local repair

demo: ## Write twelve conversations and train an adapter on them, end to end
	@$(MAKE) --no-print-directory -j 2 synth console $(TRAINING)
	@$(BIN)/python -m local.demo

check: $(INSTALLED) $(TRAINING) ## Lint, format check and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/mypy --config-file training_container/mypy.ini --python-executable $(VENV)-train/bin/python

test: ## Run every test
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target synth console browser $(TRAINING) $(CLIENT) $(LINT)
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target check test-console test-training
	@$(BIN)/pytest -n 2 --dist loadfile tests/unit --cov --cov-report=
	@echo "Coverage of brightrun by tests/unit alone: $$($(BIN)/coverage report --format=total) % of its lines"
	@$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/unit --ignore tests/training --ignore tests/sdk

test-fast: $(INSTALLED) ## Run what takes a minute: no engine, no synthesis, no training
	@$(BIN)/pytest -n 2 --dist loadfile -m "not slow" $(FAST:%=tests/%)

test-training: $(TRAINING) ## Run the tests of the training container alone
	@$(VENV)-train/bin/pytest tests/training -c pyproject.toml --confcutdir=tests/training -p no:cacheprovider

test-console: $(PAGES) ## Lint the console and run its unit tests; the browser tests are in tests/console
	@cd console && npm run --silent lint && npm run --silent test

test-sdk: ## Compare our request for a training job with the SageMaker SDK's (installs a gigabyte)
	@test -x $(VENV)-sdk/bin/python || $(PYTHON) -m venv $(VENV)-sdk
	@$(VENV)-sdk/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/sdk.lock
	@$(VENV)-sdk/bin/pytest tests/sdk -c pyproject.toml --confcutdir=tests/sdk -p no:cacheprovider

bench-train: $(TRAINING) ## Compare this trainer with TRL on the CPU (installs TRL first)
	@$(VENV)-train/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/benchmark_training.lock
	@PYTHONPATH=layers/common/python $(VENV)-train/bin/python -m benchmarks.train_cpu

bench-batch: synth ## Measure what the machinery costs beside Claude
	@$(BIN)/python -m benchmarks.bench_batch

bench-economy: synth ## Measure what the machinery costs in the economy lane, and its memory
	@$(BIN)/python -m benchmarks.bench_economy

bench-api: synth ## Measure lists of conversations at 50, 5,000 and 50,000
	@PYTHONPATH=layers/common/python $(BIN)/python -m benchmarks.bench_api

bench-imports: $(INSTALLED) ## Measure what a cold start of each function imports, beside boto3
	@$(BIN)/python -m benchmarks.bench_imports

bench-training-files: $(INSTALLED) ## Measure the build of training files of up to 50,000 conversations
	@$(BIN)/python -m benchmarks.bench_training_files

bench-peers: synth ## Measure other systems beside ours on the same simulated Claude (installs two of them)
	@for peer in curator data-designer; do \
		test -x $(VENV)-$$peer/bin/python || $(PYTHON) -m venv $(VENV)-$$peer; \
		$(VENV)-$$peer/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock || exit 1; \
		$(VENV)-$$peer/bin/uv pip install --quiet --python $(VENV)-$$peer/bin/python --require-hashes -r requirements/$$peer.lock || exit 1; \
	done
	@$(BIN)/python -m benchmarks.bench_peers

bench-validate: $(INSTALLED) ## Measure the dataset validator beside others, on 500 MiB
	@test -x $(VENV)-bench/bin/python || $(PYTHON) -m venv $(VENV)-bench
	@$(VENV)-bench/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.lock
	@$(BIN)/python -m benchmarks.bench_validate

scoreboard: synth $(LINT) ## Measure the figures of docs/scoreboard.md, or those of FIGURES="R1 S5"
	@$(BIN)/python -m benchmarks.scoreboard $(FIGURES)

openapi: $(INSTALLED) ## Write docs/openapi.json from the handlers
	@$(BIN)/python -m local.openapi

clean: ## Remove everything that was made, data included
	@rm -rf $(VENV) $(VENV)-train $(VENV)-bench $(VENV)-sdk $(VENV)-client $(VENV)-lint $(VENV)-curator $(VENV)-data-designer build cdk.out node_modules console/node_modules console/dist .local
