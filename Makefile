# Every target installs what it needs first; `make help` lists the targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-bench
PICTURES ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Some containers set it: every program would then compile all its libraries again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo docs test test-flink test-models test-emulators check format lock bench bench-quick clean lambda-zip

help: ## Show the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: $(VENV)/.demo ## Classify drawn pictures in an embedded S3 (PICTURES=~/Pictures: your own)
	@$(BIN)/seefood demo $(if $(PICTURES),--pictures "$(PICTURES)")

test: $(VENV)/.dev ## Run the tests, all but those on a Flink cluster
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-flink: $(VENV)/.dev ## Run the tests on a local Flink cluster (needs Java 17, Maven and Go)
	$(BIN)/pytest -m flink tests/pipeline/test_flink.py

test-models: $(VENV)/.dev ## Package other people's models (needs ../shared/data)
	$(BIN)/pytest -m models tests/training/packaging/test_shared_models.py

test-emulators: $(VENV)/.dev ## Run the tests against fake-gcs-server and Azurite (needs Go and npm)
	$(BIN)/pytest -m emulators tests/seefood/storage/test_emulators.py

check: $(VENV)/.dev ## Run the linters and the type checker
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: $(VENV)/.dev ## Build the documentation site into build/site; fails on a broken link
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

bench: $(VENV)/.dev $(PEERS)/.torch ## Measure against the peers and print the table of the README
	$(BIN)/pytest -q -m peers tests/benchmarks
	$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.dev $(PEERS)/.bench ## The same, smaller: about two minutes
	$(BIN)/python -m benchmarks --quick

s3-up: $(VENV)/.dev ## Start an S3 server on loopback (versitygw; needs Go) and print its environment
	@$(BIN)/python -m benchmarks.s3_server up

s3-down: $(VENV)/.dev ## Stop the S3 server
	@$(BIN)/python -m benchmarks.s3_server down

lock: $(BIN)/uv ## Compile constraints.txt from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  --quiet --output-file constraints.txt

lambda-zip: $(VENV)/.dev ## Build build/lambda-{x86_64,arm64}.zip (MODEL=bundle, FAST=1, LAMBDA_PYTHON=3.13)
	$(BIN)/python infra/build_lambda_zip.py $(if $(MODEL),--model "$(MODEL)") $(if $(FAST),--fast) \
	  $(if $(LAMBDA_PYTHON),--python "$(LAMBDA_PYTHON)")

clean: ## Remove the environments, build results and caches
	rm -rf $(VENV) $(PEERS) .bench-cache demo-output build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

# pip installs uv, pinned and with its hash checked; uv installs the rest in the same way.
$(BIN)/uv: constraints.txt
	$(PYTHON) -m venv $(VENV)
	awk '/^uv==/ {found = 1} found {print} found && !/\\$$/ {exit}' constraints.txt > $(VENV)/uv.txt
	$(BIN)/pip install --quiet --require-hashes --requirement $(VENV)/uv.txt
	@touch $@

$(VENV)/.demo: $(BIN)/uv pyproject.toml
	$(BIN)/uv pip install --quiet --python $(VENV) --constraint constraints.txt --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(BIN)/uv pyproject.toml
	$(BIN)/uv pip install --quiet --python $(VENV) --constraint constraints.txt --editable '.[dev]'
	# Only for the script of axe-core that it holds (tests/browser/axe.py): without playwright.
	$(BIN)/uv pip install --quiet --python $(VENV) --no-deps axe-playwright-python==0.1.8
	@touch $@ $(VENV)/.demo

# The peers' libraries have an environment of their own: development does not need them.
$(PEERS)/.bench: $(BIN)/uv pyproject.toml
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(PEERS)
	$(BIN)/uv pip install --quiet --python $(PEERS) --constraint constraints.txt --editable '.[bench]'
	@touch $@

# PyTorch's wheels for Linux hold CUDA: 3.0 GB to download, so `make bench-quick` does without it.
# A folder of its own: Beam imports PyTorch where it can, and its CUDA libraries are other versions
# than ONNX Runtime's in constraints.txt.
$(PEERS)/.torch: $(PEERS)/.bench
	$(BIN)/uv pip install --quiet --python $(PEERS) --target $(PEERS)/torch torch==2.15.0 torchvision==0.29.2
	@touch $@

# ---- AWS: infra/deploy.py shows every step before it runs it (docs/deploy.md)
REGION ?= $(AWS_REGION)
STACK ?= seefood
MODEL ?=
PARAMETERS ?=
DRY_RUN ?=
DELETE_DATA ?=
# Their pinned packages conflict with ours: uv runs each in an environment of its own.
SAM := $(BIN)/uv tool run --quiet --from aws-sam-cli==1.170.0 sam
AUDIT := $(BIN)/uv tool run --quiet --from pip-audit==2.10.1 pip-audit
CHECKOV := $(BIN)/uv tool run --quiet --from checkov==3.3.30 checkov
INFRA = $(BIN)/python infra/deploy.py $(1) $(if $(REGION),--region "$(REGION)") --stack "$(STACK)" \
  $(if $(DRY_RUN),--dry-run) $(if $(PARAMETERS),--set "$$PARAMETERS")
# Through the environment, so that the shell does not read the parentheses of a cron expression.
export PARAMETERS
.PHONY: deploy destroy lint-infra

deploy: $(VENV)/.dev ## Deploy to AWS (REGION=…; DRY_RUN=1 only shows the steps)
	@$(call INFRA,deploy) $(if $(MODEL),--model "$(MODEL)")

destroy: $(VENV)/.dev ## Delete the deployment (REGION=…; DRY_RUN=1; DELETE_DATA=1: the buckets, too)
	@$(call INFRA,destroy) $(if $(DELETE_DATA),--delete-data)

lint-infra: $(VENV)/.dev ## Check the template with cfn-lint, sam validate and checkov
	$(BIN)/cfn-lint --template infra/template.yaml
	SAM_CLI_TELEMETRY=0 $(SAM) validate --lint --region us-east-1 --template infra/template.yaml
	$(CHECKOV) --quiet --compact --skip-download --framework cloudformation --file infra/template.yaml
	$(CHECKOV) --quiet --compact --skip-download --framework dockerfile --file infra/bulk.Dockerfile infra/lambda.Dockerfile

# ---- Security and faults (SECURITY.md, docs/hard-days.md)
MINUTES ?=
TARGETS ?=
.PHONY: audit licences release screenshots

release: $(VENV)/.dev ## Build and check wheel, sdist and SBOM in dist/; uploads nothing
	$(BIN)/python infra/release.py

screenshots: $(VENV)/.dev ## Take the README's pictures from the demo's report and the page (needs Chromium)
	$(BIN)/python infra/screenshots.py

audit: $(VENV)/.dev ## Check every pinned package for known vulnerabilities (SECURITY.md)
	$(AUDIT) --strict --require-hashes --disable-pip --no-deps --progress-spinner off \
	  --requirement constraints.txt

licences: $(VENV)/.dev ## Write docs/licences.md from the installed packages
	$(BIN)/python infra/licences.py

.PHONY: fuzz soak

fuzz: $(VENV)/.dev ## Fuzz everything that parses untrusted input (MINUTES=10, TARGETS="picture event")
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) $(TARGETS)

soak: $(VENV)/.dev ## Classify for half an hour from a store that injects faults (MINUTES=30; needs Go)
	$(BIN)/python -m benchmarks.soak --minutes $(or $(MINUTES),30)

# ---- Flink: a session cluster of processes on this machine (docs/scale.md)
.PHONY: flink-up flink-down
flink-up: $(VENV)/.dev ## Start a Flink cluster on loopback: 1 JobManager, 2 nodes (needs Java 17 and Maven)
	@$(BIN)/python -m infra.flink.cluster up

flink-down: $(VENV)/.dev ## Stop the Flink cluster
	@$(BIN)/python -m infra.flink.cluster down
