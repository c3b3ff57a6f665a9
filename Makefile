PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet
SCHEDULES ?= 100000
# Twice the cores of a small machine: many tests wait for processes and sockets.
WORKERS ?= 4

.PHONY: help demo test lint types unit race hostile laws bench format requirements clean

help: ## Say what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: $(VENV)/.installed ## A guided tour on the embedded sandbox
	@$(BIN)/gcsync demo

test: lint types unit ## Everything that must hold: style, types, layers, tests

lint: $(VENV)/.developed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.developed
	$(BIN)/mypy

unit: $(VENV)/.developed
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal --quiet -rs

race: $(VENV)/.developed ## A longer campaign of concurrent editors: make race SCHEDULES=100000
	cd tests && ../$(BIN)/python -m race --schedules $(SCHEDULES)
	cd tests && ../$(BIN)/python -m race --schedules $(SCHEDULES) --protocol "data actions"

hostile: $(VENV)/.developed ## 10,000 hostile names through every presenter and format
	cd tests && ../$(BIN)/python -m hostile.campaign

laws: $(VENV)/.developed ## Every property with 3,000 examples instead of 40
	$(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal --quiet --hypothesis-profile=thorough \
	  tests/core tests/drivers tests/lint tests/loader tests/render tests/store

bench: $(VENV)/.developed ## What things cost, as ratios within one run
	$(BIN)/python tests/bench/run.py

format: $(VENV)/.developed ## Lay out the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --upgrade

requirements: $(VENV)/.developed ## Pin the dependencies anew, with hashes
	$(PIP) install uv
	$(PIN) pyproject.toml -o requirements.txt
	$(PIN) --group build -o requirements-build.txt
	$(PIN) pyproject.toml --extra postgresql --group dev -o requirements-dev.txt

clean: ## Remove what was made here
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes --requirement requirements.txt
	$(PIP) install --require-hashes --requirement requirements-build.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.developed: $(VENV)/.installed requirements-dev.txt
	$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@
