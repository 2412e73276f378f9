# `make run` and `make test` set up whatever they need; nothing but Python 3.11 and make must be there before.
PYTHON ?= python3.11
PYTHON := $(shell command -v $(PYTHON) || command -v python3)
VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup run up test unit integration acceptance rules lint bench docs package clean

help:  ## show what there is to do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(READY)  ## make the virtual environment

$(READY): requirements.txt requirements-dev.txt
	@echo "setting up $(VENV) (once; about a minute)" >&2
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 12) else "Python 3.11 or 3.12 is needed, found " + sys.version)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(READY)  ## play a demo day on the local stack (ONCE=1: end when all of it is accepted)
	@$(BIN)/python -m devstack run $(if $(ONCE),--once) $(if $(PACE),--pace $(PACE))

up: $(READY)  ## start the local stack alone and show its addresses
	@$(BIN)/python -m devstack up

test: $(READY) lint  ## everything: lint, types, rules, unit, integration, acceptance
	@$(BIN)/python -m pytest tests

lint: $(READY)  ## formatting, lint and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .

unit integration acceptance rules: $(READY)  ## one layer of the tests
	@$(BIN)/python -m pytest tests/$@

bench: $(READY)  ## measure; prints ratios of one run
	@$(BIN)/python -m bench

docs: $(READY)  ## write what the docs hold of the code: the JSON Schema of a transaction
	@$(BIN)/python -m ocs schema > docs/pos-transaction.schema.json

package: $(READY)  ## build the package that is deployed: dist/ocs.zip
	@$(BIN)/python -m devstack.package

clean:  ## remove what was set up and what the stack has kept
	rm -rf $(VENV) .stack devstack/node/node_modules
