# `make` lists the targets. Everything a target needs is set up by the target; nothing is installed outside this folder.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := proto libs/core libs/catalogue libs/access libs/bus apps/client apps/local apps/ops services/ingest services/linker services/analytics

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.ready ## Make the virtual environment (done by the others when needed)

$(UV):
	$(PYTHON) -m venv .tools
	.tools/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(VENV)/.ready: $(UV) requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS))
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	$(UV) pip install --quiet --no-deps --python $(BIN)/python $(addprefix -e ,$(MEMBERS))
	@touch $@

SIZE ?= fifth
demo: setup ## The main job end to end, on a made-up partnership at a fifth of LEAP's size (SIZE=leap: all of it)
	@$(BIN)/childlink-local demo --size $(SIZE)

questions: setup ## Ask every question of the bank of the made-up partnership at LEAP's size, and count what is shown
	@$(BIN)/childlink-local demo --size leap --everything --folder .demo-questions >/dev/null
	@$(BIN)/childlink-local questions .demo-questions

# Two workers share the tests by file, the longest kinds first (conftest.py).
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations=15

test: setup ## Everything that guards behaviour, real Kafka and PostgreSQL included
	$(PYTEST) --ignore=tests/faults --ignore=tests/browser --ignore=tests/attacks/answers

test-all: setup ## The same, and faults, kills, browsers and the attacks on answers
	$(PYTEST)

coverage: setup ## Which lines and branches all the tests reach, by room; a room below its floor fails
	$(PYTEST) --cov --cov-branch --cov-report=json:.cache/coverage.json --cov-report=
	$(BIN)/python tools/coverage_floors.py .cache/coverage.json

test-spark: .cache/spark/.ready ## Re-linkage on Spark, in an environment of its own (.cache/spark; needs Java 17)
	.cache/spark/bin/python -m pytest tests/spark

.cache/spark/.ready: $(UV) requirements.lock tests/spark/requirements.txt $(addsuffix /pyproject.toml,$(MEMBERS))
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .cache/spark
	$(UV) pip sync --quiet --require-hashes --python .cache/spark/bin/python requirements.lock
	$(UV) pip install --quiet --no-deps --python .cache/spark/bin/python -r tests/spark/requirements.txt $(addprefix -e ,$(MEMBERS))
	@touch $@

check: setup ## Formatting, lint, types, architecture, contracts, generated code, documents and their words
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy libs/*/src services/*/src apps/*/src
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf breaking --against baseline.binpb
	@PATH="$$PWD/$(BIN):$$PATH" proto/generate.sh ../.cache/gen && diff -r -x __pycache__ proto/gen .cache/gen || { echo "proto/gen is not current: run make proto"; exit 1; }
	$(BIN)/python tools/check_docs.py
	$(BIN)/python tools/plain_english.py

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proto: setup ## Generate Python from the contracts
	PATH="$$PWD/$(BIN):$$PATH" proto/generate.sh

proto-baseline: setup ## Declare today's contracts to be what other parties run
	cd proto && ../$(BIN)/buf build -o baseline.binpb

docs-generated: setup ## Write the generated pages of docs/reference
	$(BIN)/python tools/check_docs.py --write

DOCS_TOOLS := .tools/docs/.ready
$(DOCS_TOOLS): docs/tools.lock
	$(PYTHON) -m venv .tools/docs
	.tools/docs/bin/pip install --quiet --disable-pip-version-check --require-hashes -r docs/tools.lock
	@touch $@

docs: $(DOCS_TOOLS) ## The documents as a site that works offline, in .cache/site; a link that leads nowhere fails
	rm -rf .cache/site
	.tools/docs/bin/sphinx-build --quiet --fresh-env --fail-on-warning --keep-going --nitpicky -c docs -d .cache/doctrees . .cache/site

docs-lock: $(UV) ## Resolve what builds the documents anew and write docs/tools.lock
	$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url docs/tools.in -o docs/tools.lock

lock: $(UV) ## Resolve the dependencies anew and write requirements.lock (hashes, no addresses)
	$(UV) lock --quiet --upgrade
	$(UV) export --quiet --all-packages --all-extras --no-extra spark --no-emit-workspace --no-header --format requirements-txt -o requirements.lock

STACK_TOOLS := .tools/stack/.ready
$(STACK_TOOLS): deploy/tools.lock
	$(PYTHON) -m venv .tools/stack
	.tools/stack/bin/pip install --quiet --disable-pip-version-check --require-hashes -r deploy/tools.lock
	@touch $@

images: ## Build childlink's images (CHILDLINK_BASE_IMAGES=debian: on a base made here, where none can be pulled)
	@deploy/with-docker.sh deploy/images/build.sh

up: setup $(STACK_TOOLS) ## The whole stack in containers: certificates, keys, images, two demo partners, a release
	@deploy/with-docker.sh deploy/up.sh

down: setup $(STACK_TOOLS) ## Stop the stack (CLEAN=1 deletes its keys and data, too: type its name, or give DELETE=name)
	@$(if $(DELETE),CHILDLINK_DELETE='$(DELETE)') deploy/with-docker.sh $(BIN)/python deploy/stack.py $(if $(CLEAN),clean,down)

test-stack: setup $(STACK_TOOLS) ## The stack for real: the journey, certificates, access rights, isolation (needs a Docker engine)
	@deploy/with-docker.sh deploy/test-stack.sh

# Helm is in no registry that machines like CI's reach but as a Go module; what it is built from stays in .cache.
HELM_VERSION := v3.19.5
.tools/bin/helm: $(UV)
	GOFLAGS=-modcacherw GOBIN=$(CURDIR)/.tools/bin GOMODCACHE=$(CURDIR)/.cache/go/mod GOCACHE=$(CURDIR)/.cache/go/build \
		go install helm.sh/helm/v3/cmd/helm@$(HELM_VERSION)

check-helm: setup $(STACK_TOOLS) .tools/bin/helm ## The Helm charts: rendered, valid for Kubernetes, hardened (needs Go, to build helm)
	CHILDLINK_HELM=$(CURDIR)/.tools/bin/helm CHILDLINK_KUBERNETES_VALIDATE=$(CURDIR)/.tools/stack/bin/kubernetes-validate \
		$(BIN)/python -m pytest tests/helm

partner-bundle: images ## One file for a site without a registry: image, compose file, settings, checklist, checksums
	@deploy/with-docker.sh deploy/partner/bundle.sh

sbom: setup $(STACK_TOOLS) ## What each image's Python part is made of, as CycloneDX files in .cache/sbom
	@deploy/sbom.sh

bench: bench-encode bench-ingest bench-linkage ## Benchmarks, each beside a peer in the same run; machine-readable lines

bench-encode: setup ## Encoding speed, beside clkhash
	$(BIN)/python -m tests.bench.bench_encode

bench-ingest: setup ## A whole run of ingest, file to a real broker: rows/s and memory
	$(BIN)/python -m tests.bench.bench_ingest

bench-linkage: setup ## Linkage quality, beside Splink on plain text and clkhash with anonlink (in .cache/peers)
	$(BIN)/python -m tests.bench.bench_linkage

bench-mapping: setup ## What `map` gets right, against mappings written by hand
	$(BIN)/python -m tests.bench.bench_mapping

bench-startup: setup ## Processor seconds of each command's start, beside an empty Python
	$(BIN)/python -m tests.bench.bench_startup

bench-linkage-scale: setup ## A million records against a million, beside anonlink's brute force
	$(BIN)/python -m tests.bench.bench_linkage_scale

bench-linker: setup ## Records a second into a growing PostgreSQL, restart, memory
	$(BIN)/python -m tests.bench.bench_linker 1000000

bench-release: setup ## A release of a million children, whole catalogue; counting beside PostgreSQL (about 15 minutes)
	$(BIN)/python -m tests.bench.bench_release

bench-protection: setup ## How long it takes to protect and to attack ever larger populations
	$(BIN)/python -m tests.bench.bench_protection

bench-clk: setup ## CLKs end to end beside clkhash and anonlink, on febrl4
	$(BIN)/python -m tests.bench.bench_clk

bench-missed: setup ## What `childlink-linker missed` estimates without truth, beside the truth
	$(BIN)/python -m tests.bench.bench_missed --seed 1 --seed 2 --seed 3

bench-query: setup ## Questions of 20 analysts at once over gRPC: p50, p95
	$(BIN)/python -m tests.bench.bench_query

bench-truth: setup ## Planted truth: what linkage error and protection each add
	$(BIN)/python -m tests.bench.bench_truth

bench-load: setup ## What one hub sustains with 5, 30 and 100 partners, and what happens past it (about 6 minutes)
	$(BIN)/python -m tests.bench.bench_load

MINUTES ?= 30
RATE ?= 200
soak: setup ## Steady traffic with a SIGKILL of linker, analytics or broker each minute (MINUTES=30, RATE=200 rows a second)
	$(BIN)/python -m tests.faults.soak $(MINUTES) --rate $(RATE)

bench-spark: .cache/spark/.ready ## Re-linkage on Spark beside the ordinary one, and the plan for ten million records (about 10 minutes)
	.cache/spark/bin/python -m tests.bench.bench_spark

clean: ## Remove what make made
	rm -rf .venv .tools .cache .demo uv.lock
	@[ ! -e .stack ] || echo ".stack holds the keys of a stack: make down CLEAN=1"

.PHONY: help setup demo questions test test-all coverage test-spark check format proto proto-baseline docs docs-generated docs-lock lock images up down test-stack check-helm partner-bundle sbom bench bench-encode bench-ingest bench-linkage bench-linkage-scale bench-linker bench-release bench-protection bench-clk bench-missed bench-query bench-truth bench-spark clean bench-load bench-startup soak
