# The README's two commands are `make demo` and `make test`; both set up what they need.
.PHONY: help setup demo test check lint types unit bats bench faults fresh completions man errors generated pictures dist clean
.DEFAULT_GOAL := help

BIN := $(CURDIR)/.venv/bin
# Files of tests side by side, in the order that conftest.py gives them.
PYTEST := pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
export PATH := $(BIN):$(PATH)

help:
	@printf '%s\n' \
	  'make demo    train a small language model with a recipe, on this machine' \
	  'make test    everything: lint, types, unit tests, tests of the executables' \
	  'make check   the quick half of it' \
	  'make faults  the long tests: random schedules of faults (20 minutes; FAULTS=5015 plays one again by its seed)' \
	  'make fresh   the two commands of the README on a Debian where nobody prepared anything (Linux, root)' \
	  'make bench   speed, as ratios against floors measured in the same run' \
	  'make dist    wheels and source distributions of every package, in dist/' \
	  'make completions man errors   what is generated: of each kind; make generated checks them all' \
	  'make pictures   the pictures of the README, from real runs' \
	  'make setup   .venv, and missing system programs (the others do it too)' \
	  'make clean   remove what was built'

setup:
	@./install.sh --dev

demo: setup
	@sh examples/demo.sh

lint: setup generated
	@ruff check .
	@ruff format --check .
	@python tests/lint_imports.py
	@sh tests/lint_scripts.sh

types: setup
	@for package in packages/*/src; do mypy "$$package" || exit 1; done

unit: setup
	@$(PYTEST)

bats: setup
	@bats $$(find tests packages -name '*.bats' -not -path '*/node_modules/*' | sort)

check: lint types
	@$(PYTEST) -m "not slow and not faults"

# All four run even if one fails, so that one run shows everything.
test:
	@$(MAKE) --no-print-directory --keep-going lint types bats unit

bench: setup
	@python tests/bench.py

faults: setup
	@$(PYTEST) -m faults

completions man errors: setup
	@python -m trainsh_help.generate $@
	@./install.sh --dev

generated: setup
	@python -m trainsh_help.generate completions --check
	@python -m trainsh_help.generate man --check
	@python -m trainsh_help.generate errors --check

pictures: setup
	@python docs/pictures/make.py

dist: setup
	@rm -rf dist
	@for package in packages/*/pyproject.toml; do \
	  (cd "$${package%/*}" && python -m hatchling build -d "$(CURDIR)/dist") || exit 1; done

fresh:
	@python3 tests/fresh.py

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
