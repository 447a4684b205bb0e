# Two commands: `make demo` and `make test`. Each makes the virtual environment it needs.
# For those who change the code: slow, test-postgresql, test-cluster, chaos, check, bench, model.

PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin/python
ON_LEDGER := tests/ledger tests/receiving tests/completion tests/jobs tests/sending tests/proof \
	tests/retention tests/webhook tests/whole_way tests/web
# a file's tests stay together; more at once than cores, since many wait for the network
AT_ONCE := -n 3 --dist loadfile
CODE := core imaging network model pipeline simulator node web slicewire bench tests scp_server.py scu_export.py tps_simulator.py demo.py

# processes that tests start find what others have compiled
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test slow test-postgresql test-cluster chaos check model folds bench fuzz screenshots clean

demo: $(VENV)/.ready
	$(IN_VENV) demo.py

test: $(VENV)/.ready
	$(IN_VENV) -m pytest $(AT_ONCE)

# What takes long or needs outside programs (DCMTK, dicom3tools, PostgreSQL, plastimatch, Chromium; the readers of
# structure sets get environments of their own in .peers/, 2 GB)
slow: $(VENV)/.ready
	$(IN_VENV) -m pytest -n 2 --dist loadfile -m slow

# The same promises with the ledger in PostgreSQL, on a private server that the tests start
test-postgresql: $(VENV)/.ready
	SLICEWIRE_TEST_DATABASE=postgresql $(IN_VENV) -m pytest $(AT_ONCE) $(ON_LEDGER)

# The same promises with an external Dask scheduler and two workers as processes of their own
test-cluster: $(VENV)/.ready
	SLICEWIRE_TEST_ENGINE=external $(IN_VENV) -m pytest tests/jobs tests/whole_way

# Kills everything again and again while series arrive, and counts what is left (about 20 minutes)
chaos: $(VENV)/.ready
	$(IN_VENV) -W ignore -m tests.chaos --kills 50 --series 200
	$(IN_VENV) -W ignore -m tests.chaos --kills 50 --series 200 --database postgresql
	$(IN_VENV) -W ignore -m tests.chaos --kills 50 --series 200 --engine external

check: $(VENV)/.ready
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy $(CODE)
	$(VENV)/bin/lint-imports

# Time and growth, beside the peers' where there are any
bench: $(VENV)/.ready
	$(IN_VENV) -W ignore -m bench.latency
	$(IN_VENV) -W ignore -m bench.throughput
	$(IN_VENV) -m bench.ledger
	$(IN_VENV) -W ignore -m bench.blur
	$(IN_VENV) -W ignore -m bench.structure_set
	$(IN_VENV) -W ignore -m bench.volume
	$(IN_VENV) -W ignore -m bench.augmentation
	$(IN_VENV) -W ignore -m bench.learning --docs
	$(IN_VENV) -W ignore -m bench.learning.inference --docs
	$(IN_VENV) -W ignore -m bench.web
	$(IN_VENV) -W ignore -m bench.viewer
	$(IN_VENV) -W ignore -m bench.wire --docs

# Trains the shipped model again from the samples; and the same leaving each patient out in turn, measured
SHIPPED := --data_dir samples/sunnybrook --output_channels 2 --around LV_Myocardium:LV_Endocardium \
	--working_spacing 1.75 --encoder_args 12,24,48,96,128 --input_shape 1,128,128 --batch_size 8 \
	--learning_rate 2e-3 --max_steps 1000 --passes 8 --num_workers 0
PATIENTS := SCD0000101 SCD0000201 SCD0000401 SCD0000501
model: $(VENV)/.ready
	$(IN_VENV) -m model.train $(SHIPPED) --k_folds 0 --measure SCD0000501 --name left_ventricle \
		--output model/shipped/left_ventricle.ckpt

folds: $(VENV)/.ready
	for patient in $(PATIENTS); do $(IN_VENV) -m model.train $(SHIPPED) --k_folds 0 --measure $$patient \
		--threads 1 --output bench_output/without_$$patient.ckpt || exit 1; done
	$(IN_VENV) -m model.evaluate --checkpoint bench_output/without_*.ckpt --data_dir samples/sunnybrook \
		--report bench_output/folds.html

# A million damaged inputs for the parsers that peers reach (about an hour)
fuzz: $(VENV)/.ready
	$(IN_VENV) -m tests.security.fuzz --inputs 1000000

# The pictures of the pages in docs/images, from a real node (needs Chromium)
screenshots: $(VENV)/.ready
	$(IN_VENV) -W ignore -m bench.screenshots

$(VENV)/.ready: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, found " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

clean:
	rm -rf $(VENV) .peers demo_output bench_output .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
