# `make` alone prints the targets. Everything runs in .venv, which `make setup` fills from the
# hash-locked requirements; nothing but Python 3.11+, git and make is needed beforehand.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-annotate --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help setup demo test simulate lint gen bench lock clean

help: ## Print this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv and install the locked packages and this project into it.

$(STAMP): requirements-dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Send real transactions through the gRPC API into a fresh ledger and prove the result.
	LOYALTY_DATA_DIR="$${LOYALTY_DATA_DIR:-$(CURDIR)/.loyalty}" $(BIN)/loyalty demo

test: setup ## Run the tests; what a bare machine cannot run is skipped with its reason.
	$(BIN)/python -m pytest -n auto $(PYTEST_ARGS)

simulate: setup ## Let simulated servers crash for two million steps; a seed that fails can be run again.
	$(BIN)/python -m tests.simulation $(SIMULATE_ARGS)

lint: setup ## Check style, types and layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

gen: setup ## Write what is made of proto/loyalty/v1/*.proto anew: stubs, OpenAPI, descriptors for Envoy.
	$(BIN)/python proto/generate.py

bench: setup ## Measure the ledger against pgbench on this machine; figures also go to build/bench.json.
	$(BIN)/python -m bench $(BENCH_ARGS)

lock: setup ## Lock the packages of pyproject.toml; UPGRADE=--upgrade takes newer ones.
	$(LOCK) $(UPGRADE) pyproject.toml --extra demo -o requirements.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra demo --extra dev -c requirements.txt -o requirements-dev.txt

clean: ## Remove .venv, build/ and the tools' caches; what `loyalty demo --keep` left in .loyalty stays.
	rm -rf .venv build dist clients/node/node_modules .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
