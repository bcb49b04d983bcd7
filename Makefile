# The only commands that anyone needs; `make help` lists them.
PYTHON ?= python3
SOURCE ?= synthetic
ROOT   ?=
OUT    ?= outputs/demo
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Tests of notebooks: a file stays in one process, a process has one thread, the kernel is this Python.
NBVAL  := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-current-env \
          --nbval-sanitize-with=notebooks/nbval-sanitize.cfg notebooks build/proof

# The tests with other versions, in an environment made from scratch beside .venv: uv can take the lowest ones.
# On a machine without a GPU, UV_TORCH_BACKEND=cpu spares gigabytes of CUDA.
COLAB  := torch==2.11.0 numpy==2.0.2 ipywidgets==7.7.1 matplotlib==3.10.0 scikit-learn==1.6.1 scipy==1.16.3 \
          pillow==11.3.0 joblib==1.5.3 typer==0.26.8 tensorboard==2.20.0  # July 2026
define unit-with
	rm -rf build/$@
	$(PYTHON) -m venv build/$@
	build/$@/bin/python -m pip install --quiet uv
	build/$@/bin/uv pip install --quiet --python build/$@ $(1) -e '.[dev]'
	build/$@/bin/uv pip list --python build/$@
	build/$@/bin/python -m pytest -n 2 --dist loadfile
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo bench sample pretrained test unit unit-lowest unit-colab torture mutants lint format notebooks times \
        check-notebooks nbval nbval-full slides present slides-pdf figures widgets site clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 17

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
	$(BIN)/python -m aircraft_bench --source $(SOURCE) $(if $(ROOT),--root $(ROOT)) --out outputs/bench

sample: $(STAMP)  ## draw data/sample again, with the network of the last demo
	$(BIN)/python data/make_sample.py data/sample $(OUT)

pretrained: $(STAMP)  ## train the network of the package again, an hour on two cores; it may be interrupted
	$(BIN)/python data/make_pretrained.py outputs/pretrained
	cp outputs/pretrained/model.safetensors src/aircraft/models/pretrained.safetensors

notebooks: $(STAMP)  ## make the lessons from notebooks/source, execute the solutions whose code changed
	$(BIN)/python notebooks/build.py

times: $(STAMP)  ## put the times that the last `make notebooks` measured into TEACHING.md
	$(BIN)/python notebooks/build.py --times

slides: $(STAMP)  ## build the slides into slides/_site (needs npm; npm's packages are fetched once)
	$(BIN)/python slides/scripts/deck.py

present: slides  ## show them at http://127.0.0.1:8000; see slides/README.md
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory slides/_site 8000

slides-pdf: slides  ## print them to build/slides.pdf (needs Chromium)
	$(BIN)/python slides/scripts/pdf.py

figures: $(STAMP)  ## draw the figures of the slides again
	$(BIN)/python slides/make_figures.py

widgets: $(STAMP)  ## make the data and the network of the slides' widgets again
	$(BIN)/python slides/make_widgets.py

site: $(STAMP)  ## build the web site into build/site: slides, solutions, detector
	$(BIN)/python slides/make_site.py

test: lint unit check-notebooks nbval  ## everything that CI checks

unit: $(STAMP)  ## the tests, with coverage
	rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered

unit-lowest:  ## the tests with the lowest versions that we allow, on the oldest Python (PYTHON=python3.11)
	$(call unit-with,--resolution lowest-direct)

unit-colab:  ## the tests with the versions of Colab (PYTHON=python3.12)
	$(call unit-with,$(COLAB))

torture: $(STAMP)  ## the long campaign of bad inputs, kills, flipped bits and bombs (at most 30 minutes)
	$(BIN)/python tests/torture

mutants: $(STAMP)  ## thousands of wrong answers through the checks; the table goes to tests/mutants.md (an hour)
	$(BIN)/python tests/mutants --write

check-notebooks: $(STAMP)  ## fail when a notebook is not what its source says
	$(BIN)/python notebooks/build.py --check

nbval: $(STAMP)  ## run all notebooks and the proofs of their checks, at small settings
	$(BIN)/python notebooks/build.py --proofs
	AIRCRAFT_FAST=1 $(NBVAL) --nbval-cell-timeout=180

nbval-full: $(STAMP)  ## the same at full settings (40 minutes on two cores)
	$(BIN)/python notebooks/build.py --proofs
	$(NBVAL) --nbval-cell-timeout=900

lint: $(STAMP)  ## ruff, mypy, and actionlint where there is one
	$(BIN)/ruff format --check src tests data notebooks slides
	$(BIN)/ruff check src tests data notebooks slides
	$(BIN)/mypy
	@! test -x $(BIN)/actionlint || $(BIN)/actionlint .github/workflows/*.yml

format: $(STAMP)  ## let ruff tidy the code
	$(BIN)/ruff format src tests data notebooks slides
	$(BIN)/ruff check --fix src tests data notebooks slides

clean:  ## remove what the commands above made (not the downloaded data)
	rm -rf build outputs slides/_site .coverage* .pytest_cache .mypy_cache .ruff_cache
