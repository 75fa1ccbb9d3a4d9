# `make run` and `make test` set everything up by themselves; they need Python >= 3.11 and make, nothing else.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help run test test-fast check format ui bench docs clean

help:  ## Show what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.run  ## Make a demo population, run the whole pipeline on it, and say where the reports are
	$(BIN)/healthmate-bi demo
	$(BIN)/healthmate-bi run
	$(BIN)/healthmate-bi status

ui: $(VENV)/.run  ## Open the Dagster UI on http://127.0.0.1:3000
	$(BIN)/healthmate-bi ui

test: $(VENV)/.dev  ## All tests, on a real PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-fast: $(VENV)/.dev  ## The tests that take seconds
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

check: $(VENV)/.dev  ## Lint, format, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## Mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev  ## The figures of the README (hours)
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks --family engagement
	$(BIN)/python -m benchmarks --family performance
	$(BIN)/python -m benchmarks --family churn
	$(BIN)/python -m benchmarks --family reports
	$(BIN)/python -m benchmarks --late-rows
	$(BIN)/python -m benchmarks --null-signals

docs: $(VENV)/.run  ## Write the generated pages of docs/
	$(BIN)/python -m docs.generate

clean:  ## Remove the virtual environment and the caches; data stay
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.run: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@
