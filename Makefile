# One command for each developer's task. PYTHON is the environment that has the extras installed:
#   python3 -m venv .venv && .venv/bin/pip install -e ".[test,check,peers,browser]"
BIN ?= .venv/bin

.PHONY: check test fast bench

check: ## style, types, import direction
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python

test: ## all tests but campaigns
	$(BIN)/python -m pytest -n auto

fast: ## all but the tests that train real networks
	$(BIN)/python -m pytest -n auto -m "not slow"

bench: ## beside other libraries, all at full size; BENCH="digits lenet --rounds 9" for a part
	$(BIN)/python -m benchmarks $(BENCH)
