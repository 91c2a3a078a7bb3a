# Songs that sound alike. `make` alone shows what there is to make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3.11
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# dvc and papermill must use the project's Python, not another active environment.
unexport VIRTUAL_ENV

# Make would expand the `$` of a name; the shell must get names unchanged.
override FROM := $(value FROM)
override FILE := $(value FILE)
override QUERY := $(value QUERY)
override WORDS := $(value WORDS)
export FROM FILE QUERY WORDS

READY := .venv/.ready
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
STRIP := nbstripout --keep-id --extra-keys "metadata.kernelspec metadata.language_info"

# Let DVC track data/. The old data.dvc comes back if DVC refuses. DVC tracks nothing behind a link
# to another disk; the stages read it all the same.
TRACK = { if test -e data.dvc; then mv data.dvc data.dvc.before; fi; \
  if test -L data; then echo 'data is a link, so DVC keeps no copy of the catalogue.' >&2; \
  elif dvc add data > /dev/null; then rm -f data.dvc.before; \
  else test ! -e data.dvc.before || mv data.dvc.before data.dvc; exit 1; fi; }
# Ask DVC whether data/ is what data.dvc says. CHECKED, a copy of data.dvc from just before a check,
# saves that start of DVC if neither has changed since. A copy can keep its time of modification,
# but not its time of change (-cnewer).
CHECKED := .dvc/tmp/data.dvc.checked
SAME = { cmp -s data.dvc $(CHECKED) && ! find data -cnewer $(CHECKED) | grep -q .; } || \
  { test -e data.dvc && mkdir -p .dvc/tmp && cp data.dvc $(CHECKED).new && \
    dvc status --quiet data.dvc && mv $(CHECKED).new $(CHECKED); }

# DVC and the extraction take a file whose size, time and inode are as before for unchanged.
VERIFIED = test "$${VERIFY:-}" != 1 || dvc repro --single-item --force notebooks extract

# A file that is uploaded in a notebook comes as one message; tornado takes 10 MB.
UPLOADS := 'websocket_max_message_size': 268435456
# What the page of `make app` may load: what its server sends, and nothing from elsewhere.
POLICY := default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:
NO_SCREEN = $(if $(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname))),,--no-browser)

.PHONY: help repro grow map catalogue demo compare changes report pretrained lab app bench bench-scale test format check clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  make catalogue FROM=/path/to/music    any folder; its tracks.csv is used if it has one'
	@echo '  make repro VERIFY=1                   read every audio file again; also make grow VERIFY=1'
	@echo '  make compare FILE=other.npz           ids (n,) and emb (n, d), or ids and sim (n, n)'
	@echo '  make changes REV=HEAD~1               any revision with an index; HEAD, if none is named'
	@echo '  make report QUERY=song.mp3 K=10       an audio file, or a track id of the catalogue'

repro: tracked ## run all that follows from the catalogue; ends with the report
	@$(VERIFIED)
	@dvc repro
	@echo; echo "The report: $$PWD/reports/evaluation.html"

grow: tracked ## index and evaluate music added to data/, without training
	@$(VERIFIED)
	@dvc repro --single-item notebooks extract index evaluate
	@echo; echo "The report: $$PWD/reports/evaluation.html"

map: tracked ## lay the map out anew; else new tracks are placed and nothing moves
	@rm -f embeddings/index/map.safetensors
	@dvc repro --single-item --force --no-run-cache index

catalogue: $(READY) scm ## put your own music into data/: FROM=/path/to/music
	@test -n "$${FROM:-}" || { echo 'Name the folder: make catalogue FROM=/path/to/music' >&2; exit 2; }
	@simlib catalogue "$$FROM"
	@$(TRACK)

demo: $(READY) scm ## put the demo catalogue back into data/
	@cp demo/catalogue.dvc.yaml data.dvc
	@dvc pull --force data.dvc > /dev/null

compare: $(READY) ## add another system to the evaluation: FILE=other.npz
	@test -n "$${FILE:-}" || { echo 'Name the file: make compare FILE=other.npz' >&2; exit 2; }
	@simlib compare "$$FILE"

changes: $(READY) ## what a retrain changed: index/ beside that of a revision, REV=HEAD
	@simlib fetch-index "$${REV:-HEAD}"
	@mkdir -p reports/notebooks
	@papermill notebooks/changes.ipynb reports/notebooks/changes.ipynb \
	  -f params.yaml -k python3 --language python
	@simlib report reports/notebooks/changes.ipynb reports/changes.html
	@echo; echo "The report: $$PWD/reports/changes.html"

report: $(READY) ## answer a query on one page to mail: QUERY=path_or_id or WORDS='slow, jazz' K=10
	@test -n "$$QUERY$$WORDS" || { echo 'Name the recording: make report QUERY=path_or_id' >&2; exit 2; }
	@test -n "$$WORDS" || simlib query-report -k "$${K:-10}" -- "$$QUERY"
	@test -z "$$WORDS" || simlib query-report -k "$${K:-10}" --words="$$WORDS"
	@echo; echo "The report: $$PWD/reports/query.html"

pretrained: tracked ## train the weights that come with simlib on all of data/
	@dvc repro --quiet extract
	@simlib pretrain --epochs 80

lab: $(READY) ## open the notebooks in JupyterLab
	@jupyter lab --LabServerApp.app_settings_dir="$$PWD/notebooks/.lab" \
	  --ServerApp.tornado_settings="{$(UPLOADS)}" notebooks/search.ipynb

# What Voila leaves to others: it neither ends the kernel of a page that is closed, nor minds which
# host a page says it comes from, and its template asks a server elsewhere for icons that it has.
app: $(READY) ## serve the search as a page for people who do not code: IP=127.0.0.1 PORT=8866
	@case "$${IP:=127.0.0.1}" in 127.*|localhost) remote=False ;; *) remote=True ;; esac; \
	voila $(NO_SCREEN) --show_tracebacks=True --Voila.ip="$$IP" --port="$${PORT:-8866}" --Voila.port_retries=0 \
	  --MappingKernelManager.cull_interval=60 --MappingKernelManager.cull_idle_timeout=1800 \
	  --Voila.tornado_settings="{$(UPLOADS), 'allow_remote_access': $$remote, \
	  'headers': {'Content-Security-Policy': \"$(POLICY)\"}}" notebooks/search.ipynb

bench-scale: $(READY) ## time each step in catalogues of up to 100,000 tracks: benchmarks/SCALE.md
	@python benchmarks/scale.py

bench: tracked ## time the parts on the catalogue in data/: benchmarks/RESULTS.md
	@dvc repro --quiet
	@python benchmarks/bench.py

test: $(READY) ## run all tests
	@python -m pytest -n auto --dist loadfile

format: $(READY) strip ## format code and notebooks, fix what the linter can
	@ruff check --quiet --fix
	@ruff format --quiet

check: $(READY) ## check format, lint, layers, types, and that notebooks carry no outputs
	@ruff format --check
	@ruff check
	@lint-imports --no-cache
	@mypy
	@$(STRIP) --verify $(NOTEBOOKS)

clean: ## remove what the pipeline made; data/ and the environment stay
	@rm -rf features models index embeddings metrics plots reports .checkpoints

# The catalogue is there, and data.dvc says what it is. Only the demo, as it came, names the remote
# in demo/: a catalogue that differs from its data.dvc gets a new one, without a remote.
.PHONY: tracked
tracked: $(READY) scm
	@simlib check
	@test ! -L data || test -d data || { echo 'data is a link to nothing: mount that disk, or remove the link' >&2; exit 2; }
	@test -d data || test -e data.dvc || { echo 'No catalogue: make demo, or make catalogue FROM=/path/to/music' >&2; exit 2; }
	@test -d data || dvc checkout --quiet data.dvc 2>/dev/null || dvc pull data.dvc > /dev/null
	@test ! -L data && { $(SAME); } || $(TRACK)

# A folder that was downloaded as an archive has no history, and DVC wants to be told so.
.PHONY: scm
scm: $(READY)
	@if git rev-parse --git-dir > /dev/null 2>&1; \
	  then ! grep -qs no_scm .dvc/config.local || dvc config --local --unset core.no_scm; \
	  else grep -qs no_scm .dvc/config.local || printf '[core]\n    no_scm = true\n' >> .dvc/config.local; fi

.PHONY: strip
strip: $(READY)
	@$(STRIP) $(NOTEBOOKS)

$(READY): requirements.lock pyproject.toml
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo 'Installing what requirements.lock lists into .venv (a few minutes) ...'
	@python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@
