# carloop: every habit of the house. `make help` lists them.
PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
DATA   ?= data
PORT   ?= 8000
SIZE   ?= s
STATIC := src/carloop/console/static/index.html
CONSOLE_SOURCES := $(shell find console clients/javascript -type f -not -path '*/node_modules/*' 2>/dev/null)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -q --require-hashes -r requirements/runtime.lock
	CARLOOP_SKIP_CONSOLE=1 $(PY) -m pip install -q --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	$(PY) -m pip install -q --require-hashes -r requirements/dev.lock
	touch $@

$(VENV)/.node: requirements/node.lock $(VENV)/.runtime
	$(PY) hatch_build.py has-node || $(PY) -m pip install -q --require-hashes -r requirements/node.lock
	touch $@

$(STATIC): $(CONSOLE_SOURCES) console/node_modules/.ready
	$(PY) hatch_build.py build
	touch $@

console/node_modules/.ready: console/package-lock.json | $(VENV)/.node
	$(PY) hatch_build.py install
	touch $@

tests/clients/node_modules/.ready: tests/clients/package-lock.json
	if command -v npm >/dev/null; then cd tests/clients && npm install --no-save --no-audit --no-fund --silent; else mkdir -p tests/clients/node_modules; fi
	touch $@

setup: $(VENV)/.runtime $(STATIC) ## install what `make run` needs, and build the console

setup-dev: setup $(VENV)/.dev console/node_modules/.ready tests/clients/node_modules/.ready ## install what tests and checks need

run: export CARLOOP_ALLOWED_HOSTS ?= 127.0.0.1
run: setup ## load the demo data on first use, then serve console and API on PORT (default 8000)
	$(PY) -m carloop serve --data $(DATA) --port $(PORT) --demo $(SIZE)

demo: setup ## load demo data of SIZE s, m or l into DATA
	$(PY) -m carloop demo --data $(DATA) --size $(SIZE)

test: setup-dev ## the fast suite (at most 15 minutes on two cores)
	$(PY) -m pytest -q -n 4 --dist loadfile -m "not deep"
	$(PY) hatch_build.py npm test --silent

STORE_TESTS := tests/unit/test_pipeline.py tests/unit/test_quarantine.py tests/contracts tests/scenarios tests/e2e

test-deep: setup-dev ## long drills and fuzzing
	$(PY) -m pytest -q -m deep
	$(PY) -m tests.drill --kills 200

test-stores: setup-dev ## the suite, whole servers included, on PostgreSQL, then over ClickHouse's HTTP
	CARLOOP_TEST_STATE=postgres $(PY) -m pytest -q -n 4 --dist loadfile -m "not deep and not browser" $(STORE_TESTS)
	CARLOOP_TEST_EVENT_STORE=http $(PY) -m pytest -q -n 4 --dist loadfile -m "not deep and not browser" $(STORE_TESTS)

drill: setup-dev ## kill gateway and engine at random instants and count every event
	$(PY) -m tests.drill --kills 12

screens: setup-dev ## photograph every page of the console, in every state, into dist/screens
	$(PY) -m tests.screens dist/screens

check: setup-dev ## ruff, mypy, import-linter, TypeScript, stale generated files
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache
	$(PY) hatch_build.py npm run --silent check

openapi: setup-dev ## write openapi.json and the console's types
	$(PY) -m carloop.api.openapi openapi.json
	$(PY) hatch_build.py npm run --silent types

docs: setup-dev ## write the pages of docs/reference that the code can tell
	$(PY) -m tests.support.reference

bench: setup-dev ## print every benchmark with its ratio
	for b in benchmarks/*.py; do echo "== $$b"; $(PY) $$b || exit 1; done

COMPILE = $(PY) -m piptools compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-options --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header

lock: $(VENV)/.dev ## renew the lock files from pyproject.toml
	$(COMPILE) --extra dev -o requirements/dev.lock pyproject.toml requirements/build.in
	$(COMPILE) -c requirements/dev.lock -o requirements/runtime.lock pyproject.toml requirements/build.in
	$(COMPILE) -o requirements/node.lock requirements/node.in

clean: ## remove what builds left (not the data)
	rm -rf $(VENV) dist build src/carloop/console/static src/carloop/console/sdk console/node_modules tests/clients/node_modules

.PHONY: help setup setup-dev run demo test test-deep test-stores drill screens check openapi docs bench lock clean
