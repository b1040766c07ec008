# Every target sets the machine up first; `make setup` fetches all, after it nothing touches the network.
# .python-version lets pyenv's shims find 3.13; PYTHON=… says it outright.
PYTHON ?= $(shell command -v python3.13 >/dev/null 2>&1 && python3.13 -c '' 2>/dev/null && echo python3.13 || echo python3)
BIN := .venv/bin
PORT ?=
export PYTHONUNBUFFERED = 1

.PHONY: setup demo test check docs host azurite azure lock bench chaos

setup:
	@$(PYTHON) scripts/setup.py

demo: setup
	@$(BIN)/python -m simulator.demo $(if $(LIES),--lies "$(LIES)") $(if $(PLATFORM),--platform $(PLATFORM)) $(if $(SEED),--seed $(SEED))

test: setup
	@$(BIN)/python -m pytest -n 4

check: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -n 4

docs: setup
	@$(BIN)/python scripts/docs.py

# What each switch lets you watch: docs/platform.md.
host: setup
	@exec $(BIN)/python -m simulator.host $(if $(PORT),--port $(PORT)) $(if $(LOCK_SECONDS),--lock-seconds $(LOCK_SECONDS)) $(if $(TIMEOUT),--timeout $(TIMEOUT)) $(if $(RETRY_SECONDS),--retry-seconds $(RETRY_SECONDS)) $(if $(LOG_LEVEL),--log-level $(LOG_LEVEL)) $(if $(WIRE),--wire $(WIRE))

azurite: setup
	@exec $(BIN)/python -m simulator.azurite $(if $(BLOB_PORT),--blob-port $(BLOB_PORT)) $(if $(QUEUE_PORT),--queue-port $(QUEUE_PORT)) $(if $(TABLE_PORT),--table-port $(TABLE_PORT))

azure: setup
	@exec $(BIN)/python -m simulator.azure $(if $(PORT),--port $(PORT)) $(if $(LIES),--lies "$(LIES)") $(if $(SEED),--seed $(SEED))

# Worlds that lie, on all cores: SEED= the first one, WORLDS= how many, LIES= these instead of random ones.
chaos: setup
	@$(BIN)/python -m tests.world $(if $(SEED),--seed $(SEED)) $(if $(WORLDS),--worlds $(WORLDS)) $(if $(LIES),--lies "$(LIES)")

bench: setup
	@$(BIN)/python -m benchmarks.planning
	@$(BIN)/python -m benchmarks.deciding
	@$(BIN)/python -m benchmarks.pages
	@$(BIN)/python -m benchmarks.burst
	@$(BIN)/python -m benchmarks.importing

# Needs the network: compiles the requirements files from pyproject.toml.
lock: setup
	@$(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.13 --custom-compile-command "make lock" -o requirements.txt
	@$(BIN)/uv pip compile -q pyproject.toml --group dev --universal --generate-hashes --python-version 3.13 --custom-compile-command "make lock" -o requirements-dev.txt
