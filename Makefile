# Everything a developer does here, from a fresh machine with Python 3.11 or newer: `make demo`, then `make test`.
# A line `name: … ## text` is a target that `make help` shows; ARGS="…" goes through to the tool behind it.

RECENT = import sys; sys.exit(sys.version_info < (3, 11))
PYTHONS = python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(shell for p in $(PYTHONS); do $$p -c '$(RECENT)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
UV := $(BIN)/uv --quiet
INSTALL = $(UV) pip install --python $(@D)/bin/python

# The SDK's majors that one code base must serve; with the first of them everything is as old as pyproject.toml allows.
# Releases of openai before 1.55.3 hand httpx an argument that 0.28 dropped.
MAJORS := 1.40 1 2 3
openai-1.40 := --resolution lowest-direct 'openai==1.40.*' 'httpx>=0.27,<0.28'
openai-1 := 'openai>=1,<2'
openai-2 := 'openai>=2,<3'
openai-3 := 'openai>=3,<4'

# Newer Pythons that are installed here, by themselves or with pyenv, and where they are.
python = $(firstword $(wildcard $(HOME)/.pyenv/versions/$(1).*/bin/python /usr/local/bin/python$(1) /usr/bin/python$(1)))
NEWER := $(foreach version,3.12 3.13 3.14,$(if $(call python,$(version)),$(version)))

# Clients and servers of Elasticsearch that meet: `make test` has the last client at a server of version 8, the matrix the
# client of version 8 there, and both at a server of version 9. Below, the client and what else its tests need.
SERVER9 := FLYWHEEL_TEST_ELASTICSEARCH_VERSION=9.2.0
ES := matrix-es8 matrix-es8-on-9 matrix-es9-on-9
es8 := 'elasticsearch==8.17.2' opentelemetry-instrumentation-urllib3 opentelemetry-sdk trustme

# The extras that ask for nothing of an SDK, at the oldest they allow, and the tests that use them with what these need;
# the readers of Hugging Face ask for a newer pyarrow.
EXTRAS := analysis,analytics,datasets,infra,otel,otlp,parquet,prices,replay
extras := 'opentelemetry-sdk<1.31' prometheus-client
WITH_EXTRAS := tests/loop/export tests/loop/replay tests/loop/test_clusters.py tests/loop/test_quick.py tests/pipeline/test_price.py \
	tests/signals tests/sinks/otlp tests/test_infrastructure.py \
	-k 'not hugging_face'

# The extras for SDKs and frameworks that go together, at the oldest they allow, too; what is left out is what those
# releases of Google's SDK themselves cannot do, and the agents of LangChain 1.
WITH_SDKS := tests/callbacks tests/frameworks/test_agents.py tests/frameworks/test_litellm.py tests/langchain \
	tests/neighbours/test_google.py --ignore tests/langchain/test_graphs.py -k 'not automatic_function_calling and not what_went_over_the_wire'

# What openai's own tests need, and those of them that make calls and need no server; every client is instrumented there.
# What is left out compares with snapshots that the source distribution lacks.
sdk := aiohttp azure-identity botocore google-auth inline-snapshot nest-asyncio numpy pandas pytest pytest-asyncio \
	pytest-timeout pytest-xdist respx rich trio websockets
SDKS_OWN := tests/test_client.py tests/test_streaming.py tests/test_response.py tests/test_legacy_response.py \
	tests/test_module_client.py tests/lib/chat tests/lib/responses/test_responses.py tests/lib/test_azure.py \
	--deselect tests/lib/chat/test_completions_streaming.py
THE_SDK = $(BIN)/python -c 'import openai; print(f"openai=={openai.__version__}")'

# What the benchmarks compare with. The instrumentation of OpenTelemetry's contributors is one release behind, for its
# latest asks for what no release has, and calls wrapt as its second major no longer lets it.
peers := langfuse langsmith logfire openinference-instrumentation-openai opik opentelemetry-instrumentation-openai \
	'opentelemetry-instrumentation-openai-v2<2.4b0' 'wrapt<2'

# What depends on the SDK's version, and so runs once for each of them and once more on the built wheel; and what else
# uses enough of the other dependencies to show whether the oldest of them will do.
END_TO_END := tests/capture $(wildcard tests/e2e)
also-1.40 := tests/delivery tests/sinks tests/cli/test_commands.py
ON_PYTHON := tests/delivery tests/sinks tests/test_recorder.py tests/test_scope.py
PYTEST := pytest -n auto --dist loadgroup
# Elasticsearch's jars, the first time, while no test's time runs.
FETCH := python -m tests.elasticsearch.server

.DEFAULT_GOAL := help
.PHONY: help demo test lint types matrix $(MAJORS:%=matrix-%) $(ES) $(NEWER:%=matrix-python-%) matrix-instructor matrix-extras matrix-sdk wheel docs doors bench peers faults format clean
.SECONDARY:

help: ## Show the targets and what they do
	@awk -F ': .*## ' '/^[a-z]+: .*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.installed ## Set up and run the demonstration: with OPENAI_API_KEY it asks OpenAI, else a server of its own
	$(BIN)/flywheel-log demo $(ARGS)

test: .venv/.developing ## Run the tests: make test ARGS="tests/loop -x"
	$(BIN)/$(FETCH)
	$(BIN)/$(PYTEST) $(ARGS)

lint: .venv/.developing ## Check style, formatting and the direction of the imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: .venv/.developing ## Check the types, and what a user's editor makes of the public names
	$(BIN)/mypy

matrix: $(MAJORS:%=matrix-%) $(NEWER:%=matrix-python-%) $(ES) matrix-instructor matrix-extras matrix-sdk ## Run what depends on them with openai 1.40 to 3, newer Pythons, Elasticsearch 8 and 9, instructor, oldest extras; and openai's own tests, instrumented

$(MAJORS:%=matrix-%): matrix-%: .venvs/openai-%/.ready
	@$(<D)/bin/python -c 'import openai; print("\nopenai", openai.__version__)'
	$(<D)/bin/$(PYTEST) $(END_TO_END) $(also-$*) $(ARGS)

$(NEWER:%=matrix-python-%): matrix-python-%: .venvs/python-%/.ready
	@$(<D)/bin/python -c 'import sys; print("\nPython", sys.version)'
	$(<D)/bin/$(PYTEST) $(END_TO_END) $(ON_PYTHON) $(ARGS)

matrix-es8: .venvs/es8/.ready
	$(<D)/bin/$(FETCH)
	$(<D)/bin/$(PYTEST) tests/elasticsearch $(ARGS)

matrix-instructor: .venvs/instructor/.ready
	$(<D)/bin/$(PYTEST) tests/instructor $(ARGS)

matrix-extras: .venvs/extras/.ready .venvs/sdks/.ready
	$(<D)/bin/$(PYTEST) $(WITH_EXTRAS) $(ARGS)
	.venvs/sdks/bin/$(PYTEST) $(WITH_SDKS) $(ARGS)

matrix-sdk: .venvs/sdk/.ready
	cd $(<D)/openai-*/ && PYTHONPATH=$(CURDIR)/tests/sdk ../bin/python -m pytest --override-ini addopts= \
		--timeout 60 -p instrumented $(SDKS_OWN) $(ARGS)

matrix-es8-on-9: .venvs/es8/.ready
	$(SERVER9) $(<D)/bin/$(FETCH)
	$(SERVER9) $(<D)/bin/$(PYTEST) tests/elasticsearch $(ARGS)

matrix-es9-on-9: .venv/.developing
	$(SERVER9) $(BIN)/$(FETCH)
	$(SERVER9) $(BIN)/$(PYTEST) tests/elasticsearch $(ARGS)

wheel: .venv/.developing ## Build the distributions and run README and end-to-end tests on the installed wheel
	rm -rf dist .venvs/wheel
	$(UV) build
	$(UV) venv --python $(BIN)/python .venvs/wheel
	$(UV) pip install --python .venvs/wheel/bin/python --group end-to-end --group neighbours dist/*.whl
	mkdir .venvs/wheel/away && cp -R README.md pyproject.toml tests .venvs/wheel/away
	@cd .venvs/wheel/away && ../bin/python -c 'import flywheel_log as it; print("\ntesting", it.__file__)'
	cd .venvs/wheel/away && ../bin/$(PYTEST) tests/docs --ignore tests/docs/test_terms.py $(END_TO_END) $(ARGS)

docs: .venv/.documenting ## Bring the reference up to date and build the documentation into site/
	$(BIN)/python docs/refresh.py
	$(BIN)/zensical build --clean

doors: .venv/.developing ## Run what every way of recording must keep, and write it to docs/reference/doors.md
	$(BIN)/$(PYTEST) --doors $(ARGS)

bench: .venv/.developing ## Measure what recording, delivering and reading cost
	@for it in overhead delivery loop; do echo "== $$it"; $(BIN)/python benchmarks/$$it.py $(ARGS) || exit 1; done

peers: .venvs/peers/.ready ## Measure what other packages that record calls cost the caller, in the same run as ours
	$(<D)/bin/python benchmarks/peers.py $(ARGS)

faults: .venv/.developing ## Run the fault suite at its full count: kills, full disks, broken servers
	FLYWHEEL_TEST_FULL=1 $(BIN)/pytest tests/faults --timeout 1800 $(ARGS)

format: .venv/.developing ## Format the code and mend what can be mended by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove everything that was built or installed here
	rm -rf .venv .venvs .cache dist site .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than pyproject.toml as long as what it stands for is installed.

.venv/.uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; looked for $(PYTHONS); name one with make PYTHON=…"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

.venv/.installed: pyproject.toml | .venv/.uv
	$(INSTALL) --editable '.[prices]'
	@touch $@

.venv/.developing: pyproject.toml | .venv/.uv
	$(INSTALL) --editable . --group dev
	@touch $@ .venv/.installed

.venv/.documenting: pyproject.toml | .venv/.developing
	$(INSTALL) --group docs
	@touch $@

.venvs/openai-%/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --editable . $(openai-$*)
	$(INSTALL) --group end-to-end
	@touch $@

.venvs/python-%/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(call python,$*) $(@D)
	$(INSTALL) --editable . --group end-to-end
	@touch $@

.venvs/es8/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --editable . --group end-to-end $(es8)
	@touch $@

.venvs/peers/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --editable . $(peers)
	@touch $@

.venvs/instructor/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --editable . --group end-to-end instructor
	@touch $@

.venvs/sdk/.ready: pyproject.toml | .venv/.developing
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --editable . $(sdk) "$$($(THE_SDK))"
	$(BIN)/python -m pip download --quiet --no-deps --no-binary openai --dest $(@D) "$$($(THE_SDK))"
	tar -xzf $(@D)/openai-*.tar.gz -C $(@D)
	@touch $@

.venvs/extras/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --resolution lowest-direct --editable '.[$(EXTRAS)]' 'openai>=2,<3'
	$(INSTALL) --group end-to-end $(extras)
	@touch $@

.venvs/sdks/.ready: pyproject.toml | .venv/.uv
	$(UV) venv --clear --python $(BIN)/python $(@D)
	$(INSTALL) --resolution lowest-direct --editable '.[agents,google,langchain,litellm]' 'langchain-openai>=0.3.35' 'openai>=2,<3'
	$(INSTALL) --group end-to-end soundfile
	@touch $@
