# Every target runs in .venv, which is made on first use and re-made when pyproject.toml or
# requirements/ change, when this folder was moved or copied, or when another PYTHON is asked for.
# Needs Python 3.11 or newer; uses uv when there is one, pip otherwise. GNU Make 3.81 and newer.
#
#   make demo PYTHON=/path/to/python    with this interpreter
#   make demo UV=                       with pip, although uv is installed
#   make test ARGS="-k ratio -x"        more arguments for pytest
#   make lab ARGS="--port 9999"         or for JupyterLab
#   make mutation MODULE=src/opslab/experiments/gate.py     one module; all that decide without it

PYTHON :=
UV := uv
ARGS :=
MODULE :=

# At most four workers: each notebook starts a kernel of its own. A notebook's cells share that
# kernel, so a file never spreads over two workers; files go in order, the longest (notebooks) first.
PYTEST := .venv/bin/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Nothing of the shell that calls make may change what runs here.
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONWARNINGS PYTHONOPTIMIZE PYTHONDONTWRITEBYTECODE
unexport PYTHONPYCACHEPREFIX PYTHONSAFEPATH PYTHONINSPECT VIRTUAL_ENV CONDA_PREFIX
unexport PIP_USER PIP_TARGET PIP_PREFIX PIP_CONSTRAINT PIP_REQUIRE_HASHES UV_REQUIRE_HASHES UV_PYTHON UV_SYSTEM_PYTHON UV_CONSTRAINT
unexport JUPYTER_PATH JUPYTER_CONFIG_PATH JUPYTER_CONFIG_DIR MPLBACKEND MATPLOTLIBRC
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# A stamp is written when its install is whole. Its name holds this folder, because a .venv that was
# copied along would still run the code of the folder it comes from.
here := $(shell pwd -P | cksum | cut -d ' ' -f 1)
asked := $(if $(PYTHON),-$(shell printf '%s' '$(PYTHON)' | cksum | cut -d ' ' -f 1))
base := .venv/.base-$(here)$(asked)
lab := .venv/.lab-$(here)$(asked)
test := .venv/.test-$(here)$(asked)

candidates := $(if $(PYTHON),"$(PYTHON)",python3.13 python3.12 python3.11 python3 python)
new_enough := import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)
extras_demo := pdf
extras_lab := $(extras_demo) lab
extras_test := $(extras_lab) browser test
extras_spark := $(extras_test) spark
# What others have made comes by its hash, the tools that build this project too; then the project
# itself, which has none and so cannot stand in the same command.
uv_install := $(UV) pip install --quiet --python .venv/bin/python --compile-bytecode
pip_install := .venv/bin/python -m pip install --quiet
hashed = --require-hashes -r requirements/$(1).txt
project := --no-deps --no-build-isolation -e .
with_uv = $(uv_install) $(call hashed,$(1)) && $(uv_install) $(project)
with_pip = $(pip_install) $(call hashed,$(1)) && $(pip_install) $(project)
install = { $(UV) --version >/dev/null 2>&1 && $(call with_uv,$(1)); } || { $(call with_pip,$(1)); }

.PHONY: help demo lab test test-all spark lint format benchmark reliability docs validation mutation pollution constraints hashes clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(base) ## Run every notebook on data/sample and print where to look
	@.venv/bin/opslab demo

lab: $(lab) ## Open JupyterLab on this folder, with its notebooks and data/sample
	@.venv/bin/opslab lab $(ARGS)

test: $(test) ## Run the tests, every notebook and one page in a browser included
	@$(PYTEST) -m "not slow" $(ARGS)

test-all: $(test) ## Run every test: all pages in a browser, JupyterLab, long properties
	@$(PYTEST) --hypothesis-profile long $(ARGS)

spark: $(test) ## Add Spark to .venv, for its tests (a minute; they need Java 17 too)
	@$(call install,spark)

lint: $(test) ## Check style, formatting and types
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

format: $(test) ## Fix style and formatting where that is safe
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

benchmark: $(test) ## Measure speed and memory, write docs/benchmarks.md
	@.venv/bin/python benchmarks/run.py

reliability: $(test) ## Kill, interrupt, fill the disk: does every run stay whole?
	@.venv/bin/python benchmarks/reliability.py $(ARGS)

validation: $(test) ## Compare the statistics with simulations and printed results
	@.venv/bin/python benchmarks/validation.py

mutation: $(test) ## Change MODULE a little, again and again: do its tests notice?
	@.venv/bin/python benchmarks/mutation.py $(MODULE) $(ARGS)

pollution: $(test) ## Read 2,300 polluted text files beside pandas, DuckDB and clevercsv
	@.venv/bin/python benchmarks/pollution.py

docs: $(test) ## Write the reference pages in docs/
	@.venv/bin/python docs/build.py
	@.venv/bin/python docs/case_sheet.py
	@.venv/bin/python docs/sheets.py

$(base): pyproject.toml $(wildcard requirements/*.txt)
	@uv=; if $(UV) --version >/dev/null 2>&1; then uv=yes; fi; \
	python=; bare=; \
	for candidate in $(candidates); do \
	  path=$$("$$candidate" -c '$(new_enough)' 2>/dev/null) || continue; \
	  if [ -n "$$uv" ] || "$$path" -c 'import ensurepip, venv' 2>/dev/null; then python=$$path; break; fi; \
	  bare=$${bare:-$$path}; \
	done; \
	if [ -z "$$python" ] && [ -n "$$bare" ]; then \
	  echo "$$bare has no venv module. On Debian and Ubuntu: sudo apt install python3-venv (or install uv). Then run make again." >&2; \
	  exit 1; \
	elif [ -z "$$python" ]; then \
	  echo 'No Python 3.11 or newer among: $(subst ",,$(candidates)).' \
	    'Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python' >&2; \
	  exit 1; \
	fi; \
	rm -rf .venv; \
	version=$$("$$python" -c 'import platform; print(platform.python_version())'); \
	if [ -n "$$uv" ]; then \
	  echo "Making .venv with Python $$version and uv (up to a minute)."; \
	  { $(UV) venv --quiet --seed --python "$$python" .venv && $(call with_uv,demo); } || { \
	    echo 'uv could not install; trying pip.' >&2; uv=; rm -rf .venv; }; \
	fi; \
	if [ -z "$$uv" ]; then \
	  echo "Making .venv with Python $$version and pip (about two minutes, silent meanwhile)."; \
	  "$$python" -m venv .venv && $(call with_pip,demo) || exit 1; \
	fi
	@.venv/bin/python -m compileall -qq src || :
	@touch .venv/.base-$(here) $@

$(lab): $(base)
	@echo 'Adding JupyterLab to .venv (seconds with uv, a minute with pip).'
	@$(call install,lab)
	@touch .venv/.lab-$(here) $@

$(test): $(base)
	@echo 'Adding JupyterLab, the test tools and the driver of a browser to .venv (seconds with uv, a minute with pip).'
	@$(call install,test)
	@touch .venv/.test-$(here) $@

# The newest versions that work together on every Python and system at once, without addresses; then
# their hashes. Only the one who remakes the files needs uv.
constraints: ## Choose the dependency versions anew: constraints.txt, requirements/ (needs uv)
	@$(UV) --version >/dev/null 2>&1 || { echo 'make constraints needs uv: pip install uv' >&2; exit 1; }
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	cp pyproject.toml README.md LICENSE "$$folder" && \
	$(UV) lock --quiet --project "$$folder" --fork-strategy fewest && \
	$(UV) export --quiet --project "$$folder" --frozen --all-extras --no-hashes --no-emit-project \
	  --no-header --no-annotate --format requirements-txt --output-file "$$folder/export.txt" >/dev/null && \
	{ echo '# The versions of every dependency, for all extras, on Python 3.11 and newer, on Linux, macOS and Windows.'; \
	  echo '# Made by `make constraints`; used as `pip install -c constraints.txt`.'; \
	  grep -v -e '^ *#' -e '^--' -e '^ *$$' "$$folder/export.txt"; } >"$$folder/constraints.txt" && \
	if grep '://' "$$folder/constraints.txt" >&2; then \
	  echo 'constraints.txt is unchanged: these lines hold an address.' >&2; exit 1; \
	fi && \
	cp "$$folder/constraints.txt" constraints.txt && echo 'Wrote constraints.txt.'
	@$(MAKE) --no-print-directory hashes

# One line per package, each in the first file that needs it: demo.txt, more in lab.txt, test.txt, spark.txt.
hashed_lines = printf 'hatchling\neditables\n' | $(UV) pip compile --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --generate-hashes --no-header --no-annotate --no-emit-index-url \
  $(addprefix --extra ,$(extras_$(1))) -c constraints.txt pyproject.toml - --output-file "$$folder/$(1).txt" >/dev/null && \
  sed -e ':a' -e '/\\$$/{N;s/ *\\\n */ /;ba' -e '}' "$$folder/$(1).txt" >"$$folder/$(1)"
hashes: ## Write requirements/: the versions of constraints.txt with their hashes (needs uv)
	@$(UV) --version >/dev/null 2>&1 || { echo 'make hashes needs uv: pip install uv' >&2; exit 1; }
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	$(call hashed_lines,demo) && $(call hashed_lines,lab) && $(call hashed_lines,test) && $(call hashed_lines,spark) && \
	if grep '://' "$$folder/demo" "$$folder/lab" "$$folder/test" "$$folder/spark" >&2; then \
	  echo 'requirements/ is unchanged: these lines hold an address.' >&2; exit 1; \
	fi && \
	mkdir -p requirements && cp "$$folder/demo" requirements/demo.txt && \
	{ echo '-r demo.txt'; grep -vxFf "$$folder/demo" "$$folder/lab"; } >requirements/lab.txt && \
	{ echo '-r lab.txt'; grep -vxFf "$$folder/lab" "$$folder/test"; } >requirements/test.txt && \
	{ echo '-r test.txt'; grep -vxFf "$$folder/test" "$$folder/spark"; } >requirements/spark.txt && \
	echo 'Wrote requirements/.'

clean: ## Remove .venv, caches and builds; reports/ stays
	@rm -rf .venv .pytest_cache .ruff_cache .hypothesis build dist
	@find . -path ./.git -prune -o \( -name __pycache__ -o -name .mypy_cache \) -type d -prune -exec rm -rf {} +
