# make run    set up and open the TUI
# make test   set up and run every test
# make check  lint, types, import contracts, catalogues: what CI asks before the tests
# make bench  costs as ratios against this machine's kernel
# make search  draw programs and compare both kernels; MINUTES=20 for longer
# make i18n   bring the Spanish catalogue up to date with the source
# make clean  remove what make made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: run test check bench search i18n clean

run: $(READY)
	@$(BIN)/vitrina

test: check
	$(BIN)/pytest -n auto --dist loadgroup

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/vitrina check

bench: $(READY)
	$(BIN)/python -m tests.bench

MINUTES ?= 5
search: $(READY)
	$(BIN)/vitrina search --minutes $(MINUTES)

i18n: $(READY)
	$(BIN)/python -m simulator.locale

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -exec rm -rf {} +

# pip 25.1 is the first that knows dependency groups. It compiles what it installs, but not an
# editable project: without compileall, the first screen would wait for that.
$(READY): pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Vitrina needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@$(BIN)/python -m compileall -q simulator
	@touch $@
