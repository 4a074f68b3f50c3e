PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt --editable

.PHONY: serve test check train bench package image docs

serve: $(VENV)/.base  ## install, then serve the page at http://127.0.0.1:8000
	$(BIN)/inkdigit serve

test: $(VENV)/.dev  ## install, then run all tests in three processes
	$(BIN)/pytest --numprocesses 3 --dist worksteal

check: $(VENV)/.dev  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/.dev  ## rebuild the shipped models
	PATH="$(CURDIR)/$(BIN):$$PATH" bash runs/train.sh

bench: $(VENV)/.dev  ## run every measurement in bench/
	for file in $(filter-out bench/typical.py bench/compose.py bench/handwriting.py,$(wildcard bench/*.py)); do $(BIN)/python $$file || exit 1; done

package: $(VENV)/.dev  ## build wheel and sdist into dist/, and test the wheel in an empty environment
	bash deploy/try-package.sh $(BIN)/python

image:  ## build and test the container image without a Docker engine, as root
	bash deploy/try-image.sh

docs: $(VENV)/.dev  ## update the table of settings in docs/deploy.md
	$(BIN)/python -m docs.settings

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.base: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) '.[serve,pdf]'
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) '.[demos,train,tensorboard,ray,heif,pdf,xlsx,forms,otel,corrections,dev]'
	touch $@ $(VENV)/.base
