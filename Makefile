# The front door. Needs Python 3.11 or later and make; everything is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test check bench bench-calibration serve clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

# A stamp per set of dependencies: each is installed once, and again when pyproject.toml changes.
$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "MockForge needs Python 3.11 or later; set PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing MockForge into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	@echo "installing what the tests need into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed ## The main job on a real, fragile backend: record, learn, serve, replay, compare
	@$(BIN)/python -m examples.orders.demo

test: $(VENV)/.installed-dev ## All tests
	@$(BIN)/python -m pytest

check: $(VENV)/.installed-dev ## Lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.installed-dev ## Measure, and write benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks

bench-calibration: $(VENV)/.installed-dev ## How often the deviation report is right, and write docs/calibration.md
	@$(BIN)/python -m benchmarks.calibration --million

serve: $(VENV)/.installed ## Serve the worked example in stubs/orders on port 8080
	@$(BIN)/mockforge serve stubs/orders

clean: ## Remove what was installed and written
	rm -rf $(VENV) out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
