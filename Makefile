# Luming. `make demo` runs the product, `make test` runs what CI runs; both set everything up first.
SHELL := /bin/bash
PYTHON ?= python3
UV_VERSION := 0.13.9
export UV_PYTHON_DOWNLOADS := never
export UV_NO_PROGRESS := 1
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
BIN := .venv/bin
ARGS ?=

.PHONY: help setup demo test lint format bench crash fuzz messages clean

help: ## say what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

setup: .venv/.installed node_modules/.installed ## install everything into .venv and node_modules

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11. / 需要 Python 3.11 以上"; exit 1; }
	@$(PYTHON) -m venv .tools || { echo "Python's venv module is missing (on Debian: apt install python3-venv). / 缺少 venv 模块"; rm -rf .tools; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.installed: uv.lock pyproject.toml | $(filter .tools/bin/uv,$(UV))
	$(UV) sync --frozen --quiet --compile-bytecode --python $(PYTHON)
	@touch $@

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20 or newer with npm is needed. / 需要 Node.js 20 以上"; exit 1; }
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

demo: setup ## run the whole product with a simulated fleet: make demo [ARGS=--reset]
	@exec $(BIN)/luming demo $(ARGS)

test: setup ## everything that CI runs
	@bash tools/install-browser.sh
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_migrations.py
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: setup ## format check, lint, types, doors
	@failed=0; for tool in "ruff format --check ." "ruff check ." mypy lint-imports; do $(BIN)/$$tool || failed=1; done; exit $$failed

format: setup ## format the code
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: setup ## measure: prints figures, writes bench-results/*.json
	$(BIN)/python -m benchmarks $(ARGS)

crash: setup ## 100 rounds of kill -9 under load
	$(BIN)/python benchmarks/crash.py --rounds 100 $(ARGS)

fuzz: setup ## a million mutated packets through the decoder
	$(BIN)/python benchmarks/fuzz_decode.py $(ARGS)

messages: setup ## bring the translations up to date; says what is not translated
	$(BIN)/python tools/messages.py

clean: ## remove what setup made (never data)
	rm -rf .venv .tools node_modules
