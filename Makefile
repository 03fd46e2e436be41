# Copyright (c) 2026, the huaweicloud.tasks contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Needs make, git, ssh-keygen and Python 3.11 or newer with venv; everything else goes to .venv.
# Another Python: make PYTHON=python3.13 test

# Runs a command in an environment of its own, which uv keeps.
UV_RUN = .venv/bin/uv run --isolated --no-project --system-certs --python .venv/bin/python

.PHONY: help demo simulator test lint units faults playbooks sanity package matrix sdk docs progress-svg benchmark soak chaos lock clean

help:
	@echo "make demo         run playbooks/demo.yml against a simulated cloud"
	@echo "make simulator    run the simulated cloud in the foreground, to try modules by hand"
	@echo "make test         run every test and every check"
	@echo "make lint         ... only the linters (also: units, faults, playbooks, sanity, package)"
	@echo "make progress-svg draw docs/progress.svg anew: what a wait prints"
	@echo "make matrix       run the tests on every supported ansible-core and every Python found (takes long)"
	@echo "make sdk          let the vendor's SDK read every service of the simulated cloud"
	@echo "make benchmark    measure, and write docs/benchmark.md (half an hour; QUICK=1, RUNS=5, PARTS=\"query wait page\")"
	@echo "make soak         wait for thousands of tasks for an hour, with faults and request limits (HOURS=1)"
	@echo "make chaos        run random waits with random faults and signals against real processes (HOURS=1, SEED=42: one again)"
	@echo "make docs         write the documentation as HTML to docs/html"
	@echo "make lock         write the lists of locked packages anew (UPGRADE=1: newest versions)"
	@echo "make clean        remove .venv and whatever else the commands above left"

demo:
	@tools/venv.sh demo
	@.venv/bin/python tools/demo.py

simulator:
	@tools/venv.sh demo
	@.venv/bin/python tools/simulate.py

test:
	@tools/venv.sh test
	@.venv/bin/python tools/run_tests.py

lint units faults playbooks sanity package:
	@tools/venv.sh test
	@.venv/bin/python tools/run_tests.py $@

progress-svg:
	@tools/venv.sh test
	@.venv/bin/python tools/progress_svg.py

matrix:
	@tools/venv.sh demo
	@$(UV_RUN) --with-requirements tools/requirements-nox.lock nox --script-mode none $(if $(SESSIONS),--session $(SESSIONS))

sdk:
	@tools/venv.sh demo
	@$(UV_RUN) --with-requirements tools/requirements-sdk.lock pytest tests/sdk

benchmark:
	@tools/venv.sh benchmark
	@cd tests && PYTHONPATH=../tools ../.venv/bin/python -m benchmark $(if $(QUICK),--quick) $(if $(RUNS),--runs $(RUNS)) $(PARTS)

soak:
	@tools/venv.sh demo
	@cd tests && PYTHONPATH=../tools ../.venv/bin/python -m soak --hours $(or $(HOURS),1)

chaos:
	@tools/venv.sh test
	@cd tests && ../.venv/bin/python -m chaos $(if $(SEED),--seed $(SEED),--hours $(or $(HOURS),1))

docs:
	@tools/venv.sh demo
	@$(UV_RUN) --with-requirements tools/requirements-docs.lock python tools/build_docs.py

lock:
	@tools/venv.sh demo
	@tools/lock.sh $(if $(UPGRADE),--upgrade)

clean:
	rm -rf .venv .venv.lock .nox .hypothesis .mypy_cache .pytest_cache .ruff_cache .coverage .ansible htmlcov dist docs/html tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
