# Two commands: `make demo` and `make test`. Each makes the virtual environment it needs.

PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin/python

.PHONY: demo test slow check model bench clean

demo: $(VENV)/.ready
	$(IN_VENV) demo.py

test: $(VENV)/.ready
	$(IN_VENV) -m pytest

# What takes long or needs outside programs (DCMTK, dicom3tools)
slow: $(VENV)/.ready
	$(IN_VENV) -m pytest -m slow

check: $(VENV)/.ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy core imaging model pipeline node tests scp_server.py scu_export.py tps_simulator.py demo.py
	$(VENV)/bin/lint-imports

# Trains the shipped model again from the samples
model: $(VENV)/.ready
	$(IN_VENV) -m model.train --data_dir samples/sunnybrook --measure SCD0000501 --output model/shipped/left_ventricle.ckpt

$(VENV)/.ready: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

clean:
	rm -rf $(VENV) demo_output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
