# `make help` lists the targets. `make demo` and `make test` need nothing prepared: they set up .venv themselves.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
MATURIN := PIP_QUIET=1 VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release
RUST_SOURCES := Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)

# pytest runs this many workers; each loads spaCy, so more costs memory before it saves time.
WORKERS ?= 2
DEMO_DIR := build/demo
TEXT ?= Anna Berg lost a blue scarf between Eastvale and Port Ellery on Friday.

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: demo
demo: $(VENV)/.built ## Train on the example corpus, tag and find entities: make demo TEXT="Your own sentence."
	@PATH="$(CURDIR)/$(BIN):$$PATH" examples/demo.sh $(DEMO_DIR) "$$TEXT"
export TEXT

.PHONY: test
test: lint test-rust test-python ## Everything: formats, lints, types, Rust tests, Python tests, doctests

.PHONY: lint
lint: $(VENV)/.built-for-tests ## Check formats, lints and types; changes nothing
	@tools/check_prerequisites.sh --lint >/dev/null
	cargo fmt --all --check
	PYO3_PYTHON=$(CURDIR)/$(BIN)/python cargo clippy --workspace --all-targets --locked --quiet -- -D warnings
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/stubtest ferrule._core

.PHONY: test-rust
test-rust: ## Rust unit tests and doctests
	@tools/check_prerequisites.sh >/dev/null
	cargo test --workspace --exclude ferrule-binding --locked --quiet

.PHONY: test-python
test-python: $(VENV)/.built-for-tests ## Python tests and doctests; ARGS="-k tagger" is passed to pytest
	@tools/browser.sh --install >/dev/null
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -p no:benchmark tests python/ferrule $(ARGS)

.PHONY: bench
bench: $(VENV)/.built-for-tests ## Measure speed beside the peers that are installed; prints ratios
	$(BIN)/python -m pytest -q benches $(ARGS)

.PHONY: valgrind
valgrind: ## Run the Rust tests under valgrind memcheck: slow; FILTER=losses:: picks tests
	@tools/valgrind.sh $(FILTER)

.PHONY: miri
miri: ## Run the scalar kernel tests under miri; needs a nightly toolchain with miri
	cargo +nightly miri test -p ferrule-kernels --lib -- scalar $(FILTER)

.PHONY: audit
audit: $(VENV)/.built ## Look for known vulnerabilities and unwanted licences in what is built in; asks the network
	@command -v cargo-deny >/dev/null || { echo "make audit: cargo-deny is missing: cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --all-features --locked check
	$(PIP) install 'pip-audit>=2.7,<3'
	$(BIN)/pip-audit --local --skip-editable

.PHONY: stubs
stubs: $(VENV)/.built-for-tests ## Write the type stub of the extension module, python/ferrule/_core.pyi
	$(BIN)/python tools/stubs.py
	$(BIN)/ruff format --quiet python/ferrule/_core.pyi

.PHONY: clean
clean: ## Remove .venv, build folders and caches (keeps your own files)
	rm -rf $(VENV) target build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	rm -f python/ferrule/_core.abi3.so
	find python tests benches examples -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up ---------------------------------------------------------------------------------------------------
# A stamp is newer than what it was made from, so a second run does nothing.

$(VENV)/.python:
	@python=$$(tools/check_prerequisites.sh) && echo "make: setting up $(VENV) with $$($$python --version)" && \
	$$python -m venv --clear $(VENV)
	@$(PIP) install 'maturin>=1.9.4,<2' && touch $@

$(VENV)/.built: $(VENV)/.python pyproject.toml $(RUST_SOURCES)
	@tools/check_prerequisites.sh >/dev/null
	@echo "make: building Ferrule (the first time takes some minutes)"
	@$(MATURIN) --quiet && touch $@

$(VENV)/.built-for-tests: $(VENV)/.built
	@echo "make: installing what the tests need"
	@$(MATURIN) --quiet --extras test && touch $@
