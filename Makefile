# The only commands that anyone needs; `make help` lists them.
PYTHON ?= python3
SOURCE ?= synthetic
ROOT   ?=
OUT    ?= outputs/demo
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo bench sample test unit lint format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(STAMP)  ## make .venv and install everything (a few minutes, once)

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "aircraft needs Python 3.11 or newer; name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --progress-bar on -r requirements.txt
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## the main job: data, training, detection, report (SOURCE=airbus ROOT=folder for real scenes)
	$(BIN)/aircraft demo --source $(SOURCE) $(if $(ROOT),--root $(ROOT)) --out $(OUT)

bench: $(STAMP)  ## measure speed and memory, hours on a quiet machine (SOURCE, ROOT as for demo)
	$(BIN)/python -m pip install --quiet -e '.[bench]'
	$(BIN)/python -m pip install --quiet --no-deps sahi
	$(BIN)/aircraft bench --source $(SOURCE) $(if $(ROOT),--root $(ROOT)) --out outputs/bench

sample: $(STAMP)  ## draw data/sample again, with the network of the last demo
	$(BIN)/python -m aircraft.gallery data/sample $(OUT)

test: lint unit  ## everything that CI checks

unit: $(STAMP)  ## the tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff format --check src tests
	$(BIN)/ruff check src tests
	$(BIN)/mypy

format: $(STAMP)  ## let ruff tidy the code
	$(BIN)/ruff format src tests
	$(BIN)/ruff check --fix src tests

clean:  ## remove what the commands above made (not the downloaded data)
	rm -rf build outputs .coverage* .pytest_cache .mypy_cache .ruff_cache
