PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt --editable

.PHONY: serve test check train bench package image docs

serve: $(VENV)/.base  ## install, then the page at http://127.0.0.1:8000
	$(BIN)/inkdigit serve

test: $(VENV)/.dev  ## install, then all tests
	$(BIN)/pytest --numprocesses 3 --dist worksteal

check: $(VENV)/.dev  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

train: $(VENV)/.dev  ## rebuild the shipped model
	PATH="$(CURDIR)/$(BIN):$$PATH" bash runs/reproduce.sh

bench: $(VENV)/.dev  ## everything in bench/
	for file in $(filter-out bench/typical.py,$(wildcard bench/*.py)); do $(BIN)/python $$file || exit 1; done

package: $(VENV)/.dev  ## build wheel and sdist into dist/, and try the wheel in an empty environment
	bash deploy/try-package.sh $(BIN)/python

image:  ## build the container's image, run it and predict through it: as root, with no Docker engine
	bash deploy/try-image.sh

docs: $(VENV)/.dev  ## write docs/deploy.md's table of settings anew
	$(BIN)/python -m docs.settings

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.base: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) .
	touch $@

$(VENV)/.dev: $(VENV)/.python pyproject.toml constraints.txt
	$(PIP) '.[train,tensorboard,heif,gradio,streamlit,otel,dev]'
	touch $@ $(VENV)/.base
