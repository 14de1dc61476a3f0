# Every target does its own set-up: a fresh machine needs Python 3.10 or newer and make, nothing else.

SHELL := /bin/sh
.DEFAULT_GOAL := help

BIN := .venv/bin
READY := .venv/.ready
NEIGHBOURS := .venv-neighbours
PHOENIX := .venv-phoenix
COLLECTOR := .collector
PYTHON_FILES := $(wildcard src tests semconv examples benchmarks)
ARGS ?=
# Instrumentors that are here for tests: the demo shows aotel's own spans, as a fresh installation has them.
OTHERS := openai,langchain,genai_openai,openai_v2,anthropic,litellm

$(READY): pyproject.toml .ci/python .ci/uv .ci/venv
	@.ci/venv .venv

$(NEIGHBOURS)/.ready: pyproject.toml .ci/neighbours .ci/python .ci/uv
	@.ci/neighbours $(NEIGHBOURS)

$(PHOENIX)/.ready: .ci/phoenix .ci/python .ci/uv
	@.ci/phoenix $(PHOENIX)

$(COLLECTOR)/.ready: .ci/collector examples/collector/builder.yaml
	@.ci/collector $(COLLECTOR)

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(READY) ## run the example agent under `aotel run`, which shows and records what it does
	@OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=$(OTHERS) $(BIN)/aotel run --name docs-demo -- $(BIN)/python examples/docs_agent/agent.py $(ARGS)

.PHONY: browser
browser: ## install the browser that tests of web pages need, where that is possible
	@.ci/browser

.PHONY: test
test: $(READY) $(NEIGHBOURS)/.ready browser ## run the tests (ARGS="-k redaction" goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: test-all
test-all: ## run the tests on every Python from 3.10 to 3.13 there is, and on the oldest dependencies allowed
	@.ci/test-all $(ARGS)

.PHONY: e2e
e2e: $(READY) $(PHOENIX)/.ready browser ## run the example and others into a Phoenix, and look at them there
	@$(BIN)/python -m pytest -n 0 --timeout 300 tests/e2e $(ARGS)

# No part of .ci/run: it needs Go, and the first build takes two cores ten minutes.
.PHONY: e2e-collector
e2e-collector: $(READY) $(COLLECTOR)/.ready ## build an OpenTelemetry Collector (needs Go), and run the examples through it
	@$(BIN)/python -m pytest -n 0 --timeout 600 tests/e2e_collector $(ARGS)

.PHONY: lint
lint: $(READY) ## check style, format and layers
	@$(BIN)/ruff check $(PYTHON_FILES)
	@$(BIN)/ruff format --check $(PYTHON_FILES)
	@$(BIN)/lint-imports

.PHONY: format
format: $(READY) ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --fix-only $(PYTHON_FILES)
	@$(BIN)/ruff format $(PYTHON_FILES)

.PHONY: types
types: $(READY) ## check types with mypy and pyright
	@$(BIN)/mypy
	@$(BIN)/pyright

.PHONY: semconv
semconv: $(READY) ## write the code and pages that come from semconv/registry
	@$(BIN)/python semconv/generate.py

.PHONY: semconv-check
semconv-check: $(READY) ## fail if a generated file is not what its registry says
	@$(BIN)/python semconv/generate.py --check

.PHONY: bench
bench: $(READY) ## measure what a call costs, beside its peers
	@$(BIN)/python benchmarks/run.py $(ARGS)

.PHONY: clean
clean: ## remove environments, caches and builds
	rm -rf .venv .venv-* .collector .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find $(PYTHON_FILES) -name __pycache__ -type d -prune -exec rm -rf {} +
