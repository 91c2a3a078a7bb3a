# Songs that sound alike. `make` alone shows what there is to make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# dvc and papermill must find the project's Python, not one that happens to be active.
unexport VIRTUAL_ENV

READY := .venv/.ready
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
STRIP := nbstripout --keep-id --extra-keys "metadata.kernelspec metadata.language_info"

.PHONY: help repro grow catalogue demo compare changes pretrained lab bench test format check clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  make catalogue FROM=/path/to/music    any folder; its tracks.csv is used if it has one'
	@echo '  make compare FILE=other.npz           ids (n,) and emb (n, d), or ids and sim (n, n)'
	@echo '  make changes REV=HEAD~1               any revision with an index; HEAD, if none is named'

repro: tracked ## run all that follows from the catalogue; ends with the report
	@dvc repro
	@echo; echo 'The report: $(CURDIR)/reports/evaluation.html'

grow: tracked ## take music added to data/ under the present encoder: no training
	@dvc repro --single-item extract index evaluate
	@echo; echo 'The report: $(CURDIR)/reports/evaluation.html'

catalogue: $(READY) ## put your own music into data/: FROM=/path/to/music
	@test -n "$${FROM:-}" || { echo 'Name the folder: make catalogue FROM=/path/to/music' >&2; exit 2; }
	@simlib catalogue "$$FROM"
	@rm -f data.dvc
	@dvc add --quiet data

demo: $(READY) ## put the demo catalogue back into data/
	@cp demo/catalogue.dvc.yaml data.dvc
	@dvc pull --quiet --force data.dvc

compare: $(READY) ## let the evaluation compare another system: FILE=other.npz
	@test -n "$${FILE:-}" || { echo 'Name the file: make compare FILE=other.npz' >&2; exit 2; }
	@simlib compare "$$FILE"

changes: $(READY) ## what a retrain changed: index/ beside that of a revision, REV=HEAD
	@simlib fetch-index "$${REV:-HEAD}"
	@mkdir -p reports/notebooks
	@papermill notebooks/changes.ipynb reports/notebooks/changes.ipynb \
	  -f params.yaml -k python3 --language python
	@simlib report reports/notebooks/changes.ipynb reports/changes.html
	@echo; echo 'The report: $(CURDIR)/reports/changes.html'

pretrained: tracked ## train the weights that come with simlib on all of data/
	@dvc repro --quiet extract
	@simlib pretrain --epochs 80

lab: $(READY) ## open the notebooks in JupyterLab
	@jupyter lab --LabServerApp.app_settings_dir='$(CURDIR)/notebooks/.lab' notebooks/search.ipynb

bench: tracked ## time the parts on the catalogue in data/: benchmarks/RESULTS.md
	@dvc repro --quiet
	@python benchmarks/bench.py

test: $(READY) ## run all tests
	@python -m pytest

format: $(READY) strip ## format code and notebooks, mend what the linter can
	@ruff check --quiet --fix
	@ruff format --quiet

check: $(READY) ## check format, lint, and that notebooks carry no outputs
	@ruff format --check
	@ruff check
	@$(STRIP) --verify $(NOTEBOOKS)

clean: ## remove what the pipeline made; data/ and the environment stay
	@rm -rf features models index metrics plots reports .checkpoints

# The catalogue is there, and data.dvc says what it is. Only the demo, as it came, names the remote
# in demo/: a catalogue that differs from its data.dvc gets a new one, without a remote.
.PHONY: tracked
tracked: $(READY) strip
	@simlib check
	@test -d data || test -e data.dvc || { echo 'No catalogue: make demo, or make catalogue FROM=/path/to/music' >&2; exit 2; }
	@test -d data || dvc checkout --quiet data.dvc 2>/dev/null || dvc pull --quiet data.dvc
	@test -e data.dvc && dvc status --quiet data.dvc || { rm -f data.dvc; dvc add --quiet data; }

# A notebook that was run by hand is a dependency with other bytes: its outputs go first.
.PHONY: strip
strip: $(READY)
	@$(STRIP) $(NOTEBOOKS)

$(READY): requirements.lock pyproject.toml
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo 'Installing what requirements.lock lists into .venv (a few minutes) ...'
	@python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
