# `make` lists the targets. Everything a target needs is set up by the target; nothing is installed outside this folder.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := proto libs/core libs/bus libs/client libs/local services/ingest services/linker services/analytics

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

demo: setup ## The main job end to end, on a made-up partnership at LEAP's scale
	@$(BIN)/childlink-local demo

test: setup ## Unit, property, golden, contract and integration tests (real Kafka and PostgreSQL where they can be had)
	$(BIN)/python -m pytest

test-spark: .cache/spark/.ready ## Re-linkage on Spark, in an environment of its own (.cache/spark; needs Java 17)
	.cache/spark/bin/python -m pytest tests/spark

.cache/spark/.ready: $(UV) requirements.lock tests/spark/requirements.txt $(addsuffix /pyproject.toml,$(MEMBERS))
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .cache/spark
	$(UV) pip sync --quiet --require-hashes --python .cache/spark/bin/python requirements.lock
	$(UV) pip install --quiet --no-deps --python .cache/spark/bin/python -r tests/spark/requirements.txt $(addprefix -e ,$(MEMBERS))
	@touch $@

check: setup ## Formatting, lint, types, architecture, contracts, generated code, lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy libs/*/src services/*/src
	$(BIN)/lint-imports
	cd proto && ../$(BIN)/buf lint && ../$(BIN)/buf breaking --against baseline.binpb
	@PATH="$$PWD/$(BIN):$$PATH" proto/generate.sh ../.cache/gen && diff -r -x __pycache__ proto/gen .cache/gen || { echo "proto/gen is not current: run make proto"; exit 1; }
	$(BIN)/python tools/check_docs.py

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

proto: setup ## Generate Python from the contracts
	PATH="$$PWD/$(BIN):$$PATH" proto/generate.sh

proto-baseline: setup ## Declare today's contracts to be what other parties run
	cd proto && ../$(BIN)/buf build -o baseline.binpb

docs-generated: setup ## Write the generated pages of docs/reference
	$(BIN)/python tools/check_docs.py --write

lock: $(UV) ## Resolve the dependencies anew and write requirements.lock (hashes, no addresses)
	$(UV) lock --quiet --upgrade
	$(UV) export --quiet --all-packages --all-extras --no-extra spark --no-emit-workspace --no-header --format requirements-txt -o requirements.lock

bench: bench-encode bench-ingest bench-linkage ## Benchmarks, each beside a peer in the same run; machine-readable lines

bench-encode: setup ## Encoding speed, beside clkhash
	$(BIN)/python -m tests.bench.bench_encode

bench-ingest: setup ## A whole run of ingest, file to a real broker: rows/s and memory
	$(BIN)/python -m tests.bench.bench_ingest

bench-linkage: setup ## Linkage quality, beside Splink on plain text and clkhash with anonlink (in .cache/peers)
	$(BIN)/python -m tests.bench.bench_linkage

bench-spark: .cache/spark/.ready ## Re-linkage on Spark beside the ordinary one, and the plan for ten million records (about 10 minutes)
	.cache/spark/bin/python -m tests.bench.bench_spark

clean: ## Remove what make made
	rm -rf .venv .tools .cache .demo uv.lock

.PHONY: help setup demo test test-spark check format proto proto-baseline docs-generated lock bench bench-encode bench-ingest bench-linkage bench-spark clean
