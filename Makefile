# Two commands need nothing but Python: `make compare` and `make test`. They set up .venv themselves.
RUN := .venv/bin/python -m
MODEL ?= Llama-3-70B
HARDWARE ?= H100,MI300X,Gaudi3
BOOK ?= compare.xlsx

.PHONY: setup compare test check lint types unit generated templates fitted accuracy lint-table pictures bench fuzz clean

setup:
	@.ci/setup

compare: setup  ## write the comparison workbook (MODEL=..., HARDWARE=A,B,C, BOOK=...)
	.venv/bin/mlsim compare --model "$(MODEL)" --hardware "$(HARDWARE)" --prompt 2048 --output 512 -o "$(BOOK)"

test: setup  ## everything CI runs: lint, types, registry audit, tests with every engine that is here
	@.ci/engines
	$(MAKE) --no-print-directory check

check: lint types unit

lint:
	$(RUN) ruff check
	$(RUN) ruff format --check

types:
	$(RUN) mypy

unit:
	.venv/bin/mlsim audit --summary
	$(RUN) pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder

generated: setup  ## rebuild what is generated: Excel module, function reference, rules of the unit checker, templates
	$(RUN) mlsim_addin.generate
	.venv/bin/mlsim functions > docs/functions.md
	.venv/bin/mlsim functions --readme README.md
	$(RUN) mlsim_workbooks.lint.examples docs/rules
	$(MAKE) --no-print-directory templates

templates: setup
	$(RUN) mlsim_workbooks.templates templates

FITTED := tests/validation/measurements.csv tests/validation/training.csv
fitted: setup  ## fit the shipped parameters anew (KERNELS=folder of kernel timings: fit those first)
	$(if $(KERNELS),$(RUN) mlsim.calibration.kernels $(KERNELS))
	$(RUN) mlsim.calibration.refit $(FITTED)

accuracy: setup  ## compare with published measurements: report.xlsx and the README table
	.venv/bin/mlsim validate $(FITTED) -o report.xlsx --readme README.md

lint-table: setup  ## measure the unit checker on its corpus and rewrite the README table
	cd tests/workbooks && ../../.venv/bin/python -m lint_corpus.score ../../README.md

pictures: setup  ## take the pictures of the hosts anew (needs LibreOffice, Xvfb, Chromium and npm)
	MLSIM_SCREENSHOTS=docs $(RUN) pytest tests/addin/test_officejs_pane.py tests/addin/test_libreoffice.py -k "pane or toolbar"

bench: setup  ## print the benchmark table beside other tools (ONLY=start,decode,..., WRITE=docs/benchmarks.md)
	.venv/bin/python tests/benchmarks/bench.py $(if $(ONLY),--only $(ONLY)) $(if $(WRITE),--markdown $(WRITE))

fuzz: setup  ## a million random calls and 50,000 spoilt workbooks, others each time (about half an hour)
	MLSIM_FUZZ=10 MLSIM_FUZZ_SEED=$$(date +%s) $(RUN) pytest tests/fuzz

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
