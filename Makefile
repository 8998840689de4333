# Concierge: `make run` shows the product, `make test` checks all of it, `make bench` measures it,
# `make faults` kills its processes while they work.
# Needed on the machine: make, and Python 3.11 or newer with its venv module. Everything else is fetched, and pinned, from here.

.DEFAULT_GOAL := run
.PHONY: run install assets test check bench faults lock format clean

VENV := .venv
BIN := $(VENV)/bin
FETCH := $(BIN)/python -m pip --disable-pip-version-check --quiet --quiet install --no-compile --no-deps
ASSETS := package.json $(shell find concierge/assets -type f)
PHRASES := $(wildcard concierge/translations/*/LC_MESSAGES/messages.po)

run: install assets
	@exec $(BIN)/concierge run

install: $(VENV)/installed
assets: concierge/static/.built $(PHRASES:.po=.mo)

$(VENV)/installed: requirements.lock pyproject.toml
	@tools/make-venv $(VENV)
	@echo "Installing what Concierge needs to run …"
	@$(FETCH) --require-hashes --requirement requirements.lock
	@$(FETCH) --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed requirements-test.lock
	@echo "Installing what the tests need …"
	@$(FETCH) --require-hashes --requirement requirements-test.lock
	@touch $@

# Node is the machine's own when it is new enough, else the one in requirements-node.lock.
node_modules/installed: package-lock.json | $(VENV)/installed
	@echo "Installing what the pages are built from …"
	@said=$$(tools/npm $(BIN) ci --no-audit --no-fund --loglevel=error 2>&1) || { echo "$$said"; exit 1; }
	@touch $@

concierge/static/.built: $(ASSETS) node_modules/installed
	@echo "Building the pages' styles and scripts …"
	@said=$$(tools/npm $(BIN) run --silent build 2>&1) || { echo "$$said"; exit 1; }
	@mkdir -p $(@D) && touch $@

%.mo: %.po | $(VENV)/installed
	@$(BIN)/pybabel --quiet compile --input-file $< --output-file $@ --locale $(word 3,$(subst /, ,$<))

test: install $(VENV)/installed-tests assets
	@tools/test $(BIN)

bench: install $(VENV)/installed-tests assets
	@$(BIN)/python -m benchmarks --write

# Needs redis-server on the machine, for the part with many machines.
faults: install $(VENV)/installed-tests assets
	@CONCIERGE_TESTS_KILLS=1250 $(BIN)/pytest -s --database=both tests/faults/test_sending.py tests/faults/test_accepting.py tests/test_restoring.py
	@CONCIERGE_TESTS_FOLLOWUPS=full $(BIN)/pytest --database=both tests/followups/test_races.py
	@CONCIERGE_TESTS_MUTANTS=10000 $(BIN)/pytest --database=both tests/inbound/test_mutants.py -k every_mutant
	@CONCIERGE_TESTS_ROUNDS=1000 CONCIERGE_TESTS_SHUFFLES=500 $(BIN)/pytest --database=both tests/mailing/test_caps.py tests/journeys/test_loops.py tests/mailing/test_reports.py
	@CONCIERGE_TESTS_GUESSES=100000 $(BIN)/pytest --database=both tests/conversations/test_filing.py -k guess
	@$(BIN)/python -m tests.faults

# Pin anew what pyproject.toml asks for. Needs uv on the PATH.
lock:
	@tools/lock
	@tools/npm $(BIN) install --package-lock-only --loglevel=error

format: $(VENV)/installed-tests
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) node_modules concierge/static dist build test-results
