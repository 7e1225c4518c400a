# The commands of the project. `make run` and `make test` need nothing but the toolchains that README.md names.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/paceline-target
TOOLS := $(CARGO_TARGET_DIR)/tools
PYTHON ?= python3
NEXTEST := 0.9.143
DENY := 0.20.2
TYPOS := 1.52.0
CARGO_LLVM_COV := 0.9.1
PYSPARK := 3.5.4

.PHONY: run test test-aws test-python lint-python test-service test-infra check fmt clippy doc deny typos tidy coverage bench bench-parts bench-long bench-receiver bench-python bench-compare \
	bench-quick bench-regress bench-profile bench-page bench-binary tools spark-check spark-score tpc-check wheel wheel-glue wheel-python local-up local-test local-down
.DEFAULT_GOAL := run

# With --examples the dependencies get the features that the tests want too, so that both share one compilation.
BUILD := cargo build --locked --workspace --lib --bins --examples

run:
	$(BUILD)
	$(CARGO_TARGET_DIR)/debug/paceline demo

test: check
	cargo nextest run --locked --workspace
	$(MAKE) test-aws test-python test-service test-infra bench-quick

# The binary against a local AWS and functions of other systems, which come from PyPI and run on the loopback interface.
AWS_TESTS := $(TOOLS)/aws-tests-$(shell cksum < tests/aws/requirements.txt | cut -d' ' -f1)
test-aws: $(AWS_TESTS)/ready
	$(BUILD)
	PYTHONDONTWRITEBYTECODE=1 PACELINE=$(CARGO_TARGET_DIR)/debug/paceline $(AWS_TESTS)/bin/python -m pytest -q -p no:cacheprovider tests/aws

$(AWS_TESTS)/ready: tests/aws/requirements.txt
	$(PYTHON) -m venv $(AWS_TESTS)
	$(AWS_TESTS)/bin/pip install --quiet --requirement $<
	touch $@

# The engine in Python with its examples and types, the launcher for Glue, the wheels, the scripts and the local environment. The
# extension is that of the debug build. Tests with Spark need Java, and say so where there is none.
PYTHON_TESTS := $(TOOLS)/python-tests-$(shell cat tests/aws/requirements.txt python/tests/requirements.txt | cksum | cut -d' ' -f1)
DEBUG_BINARY := $(CARGO_TARGET_DIR)/debug/paceline
test-python: lint-python
	$(BUILD)
	cd python && PYTHONDONTWRITEBYTECODE=1 PACELINE_BIN=$(DEBUG_BINARY) $(PYTHON_TESTS)/bin/python -m pytest -q

# The launcher must run where Glue has Python 3.9.
lint-python: $(PYTHON_TESTS)/ready
	$(PYTHON_TESTS)/bin/ruff check --quiet --no-cache --config python/ruff.toml python scripts benches/compare
	$(PYTHON_TESTS)/bin/ruff format --quiet --no-cache --check --config python/ruff.toml python scripts benches/compare
	$(PYTHON_TESTS)/bin/vermin --quiet --no-tips --violations --target=3.9- python/paceline/__init__.py python/paceline/glue
	cd python && $(PYTHON_TESTS)/bin/mypy --cache-dir $(PYTHON_TESTS)/mypy paceline/*.py paceline/_native.pyi

$(PYTHON_TESTS)/ready: tests/aws/requirements.txt python/tests/requirements.txt
	$(PYTHON) -m venv $(PYTHON_TESTS)
	$(PYTHON_TESTS)/bin/pip install --quiet --requirement python/tests/requirements.txt
	touch $@

# The wheels paceline and paceline-glue in dist/, around an extension and a program that run from glibc 2.17 on, which are compiled
# together. GLUE_BINARY and NATIVE_LIBRARY name ones that are there already.
ZIGLANG := 0.15.2
CARGO_ZIGBUILD := 0.24.0
GLUE_TARGET := x86_64-unknown-linux-gnu
GLUE_GLIBC := 2.17
ZIG := $(TOOLS)/zig-$(ZIGLANG)-$(CARGO_ZIGBUILD)/bin
ZIG_BUILT := $(CARGO_TARGET_DIR)/$(GLUE_TARGET)/release
GLUE_BINARY ?= $(ZIG_BUILT)/paceline
NATIVE_LIBRARY ?= $(ZIG_BUILT)/libpaceline_native.so
# Interpreters that an ordinary user may run.
WHEEL_PYTHONS ?= $(firstword $(wildcard /usr/bin/python3) $(PYTHON))
BUILD_WHEEL = $(PYTHON_TESTS)/bin/python -m build --wheel --no-isolation --outdir dist
REPACK = $(PYTHON_TESTS)/bin/python python/glue/repack.py
CHECK_WHEEL = $(PYTHON_TESTS)/bin/python python/glue/check_wheel.py --glibc $(GLUE_GLIBC) --python $(WHEEL_PYTHONS) --
wheel: wheel-glue wheel-python

wheel-glue: $(PYTHON_TESTS)/ready $(if $(filter $(ZIG_BUILT)/%,$(GLUE_BINARY)),zig-build)
	mkdir -p dist
	rm -f dist/paceline_glue-*.whl
	PACELINE_BIN=$(abspath $(GLUE_BINARY)) $(BUILD_WHEEL) python/glue
	$(REPACK) dist/paceline_glue-*.whl
	$(CHECK_WHEEL) dist/paceline_glue-*.whl

wheel-python: $(PYTHON_TESTS)/ready $(if $(filter $(ZIG_BUILT)/%,$(NATIVE_LIBRARY)),zig-build)
	mkdir -p dist
	rm -f dist/paceline-*.whl
	PACELINE_NATIVE=$(abspath $(NATIVE_LIBRARY)) $(BUILD_WHEEL) python
	$(REPACK) dist/paceline-*.whl
	$(CHECK_WHEEL) dist/paceline-*.whl

.PHONY: zig-build
zig-build: $(ZIG)/cargo-zigbuild
	test -d "$$(rustc --print target-libdir --target $(GLUE_TARGET))" || rustup target add $(GLUE_TARGET)
	PATH=$(ZIG):$$PATH CARGO_PROFILE_RELEASE_STRIP=symbols \
		cargo zigbuild --locked --release --package paceline --package paceline-python --target $(GLUE_TARGET).$(GLUE_GLIBC)

$(ZIG)/cargo-zigbuild:
	$(PYTHON) -m venv $(dir $(ZIG:/bin=))$(notdir $(ZIG:/bin=))
	$(ZIG)/pip install --quiet ziglang==$(ZIGLANG) cargo-zigbuild==$(CARGO_ZIGBUILD)

# The local environment without containers: S3 at 4566, the mock API at 8080, a cluster at 50050 (S3_PORT, API_PORT, CLUSTER_PORT).
LOCAL := PACELINE_BIN=$(DEBUG_BINARY) $(PYTHON_TESTS)/bin/python scripts/local.py
local-up: $(PYTHON_TESTS)/ready
	$(BUILD)
	$(LOCAL) up

local-test local-down: $(PYTHON_TESTS)/ready
	$(LOCAL) $(@:local-%=%)

# The job service's API against its OpenAPI document, its page in a browser, and its alert rules, with Debian's Chromium and promtool.
SERVICE_TESTS := $(TOOLS)/service-tests-$(shell cat tests/service/requirements.txt tests/service/package.json | cksum | cut -d' ' -f1)
test-service: $(SERVICE_TESTS)/ready
	tests/service/programs.sh
	$(BUILD)
	promtool check rules docs/monitoring/alerts.yml
	PYTHONDONTWRITEBYTECODE=1 PACELINE=$(CARGO_TARGET_DIR)/debug/paceline $(SERVICE_TESTS)/bin/python -m pytest -q -p no:cacheprovider tests/service
	cp tests/service/*.mjs $(SERVICE_TESTS) && cd $(SERVICE_TESTS) && PACELINE=$(CARGO_TARGET_DIR)/debug/paceline npm test

$(SERVICE_TESTS)/ready: tests/service/requirements.txt tests/service/package.json
	$(PYTHON) -m venv $(SERVICE_TESTS)
	$(SERVICE_TESTS)/bin/pip install --quiet --requirement $<
	cp tests/service/package.json $(SERVICE_TESTS) && cd $(SERVICE_TESTS) && npm install --silent --no-audit --no-fund
	touch $@

# The AWS side of a job: its templates, and the stack deployed on a local AWS, with the binary as its job. Needs Node 20 or newer;
# packages come from the npm registry and PyPI once.
INFRA := infrastructure
INFRA_TESTS := $(TOOLS)/infra-tests-$(shell cksum < $(INFRA)/deployed/requirements.txt | cut -d' ' -f1)
test-infra: $(INFRA)/node_modules/.package-lock.json $(INFRA_TESTS)/ready
	$(BUILD)
	cd $(INFRA) && npm test && npm run build
	PYTHONDONTWRITEBYTECODE=1 PACELINE=$(CARGO_TARGET_DIR)/debug/paceline $(INFRA_TESTS)/bin/python -m pytest -q -rs -p no:cacheprovider $(INFRA)/deployed

$(INFRA)/node_modules/.package-lock.json: $(INFRA)/package-lock.json
	cd $(INFRA) && npm ci --no-audit --no-fund

$(INFRA_TESTS)/ready: $(INFRA)/deployed/requirements.txt
	$(PYTHON) -m venv $(INFRA_TESTS)
	$(INFRA_TESTS)/bin/pip install --quiet --requirement $<
	touch $@

# Asks Spark again what tests/slt/spark/ and tests/matrix/ say that it answers; needs Java 8, 11 or 17.
SPARK := $(TOOLS)/pyspark-$(PYSPARK)/bin
spark-check: java $(SPARK)/spark-submit
	$(SPARK)/python tests/slt/spark.py --check
	$(BUILD)
	PYTHONDONTWRITEBYTECODE=1 $(SPARK)/python tests/matrix/matrix.py $(CARGO_TARGET_DIR)/debug/paceline

java:
	@java -version >/dev/null 2>&1 || { echo "Spark is the judge here, and needs Java 8, 11 or 17: there is none in PATH" >&2; exit 1; }

# Spark's own statements, which are not part of the project, by their scorer.
KIT ?= ../shared/spark-sql
spark-score:
	$(BUILD)
	$(PYTHON) tests/slt/score.py $(KIT) $(SPARK_SQL) --serve

# How statements reach a binary: it prints a line of JSON for each.
SPARK_SQL ?= $(CARGO_TARGET_DIR)/debug/paceline sql --format spark

# TPC-H and TPC-DS in Spark and here; the first time it makes the tables and waits for Spark, some forty minutes.
SCALE ?= 1
tpc-check: java
	$(BUILD)
	$(PYTHON) tests/tpc/check.py --scale $(SCALE) -- $(SPARK_SQL)

check: fmt clippy doc deny typos tidy

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --locked --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --lib --bins --examples

# Advisories need a database that is fetched from elsewhere: `cargo deny check advisories` where there is a network.
deny: $(TOOLS)/bin/cargo-deny
	cargo fetch --locked --quiet # crates of other systems too, which a build does not fetch
	$(TOOLS)/bin/cargo-deny --locked --offline check bans licenses sources

typos: $(TOOLS)/typos-$(TYPOS)/bin/typos
	$<

tidy: | tools
	cargo nextest run --locked --workspace --test tidy

# Of the crate that decides and calls; it compiles without DataFusion, in a target directory of its own. Needs LLVM's tools in
# the version of the compiler: `rustup component add llvm-tools`, or LLVM_COV and LLVM_PROFDATA in the environment.
coverage: $(TOOLS)/bin/cargo-llvm-cov
	$< llvm-cov --locked --package paceline-udfs --summary-only --fail-under-lines 90 \
		--ignore-filename-regex '(caller/(mixes|timelines)|testing/mod)\.rs$$' # tests do not count

# As `make run` is built; `make bench BENCH_PROFILE=release` takes the profile of the binary to keep, and its time to compile.
BENCH_PROFILE ?= dev
BENCH := cargo bench --locked --workspace --profile $(BENCH_PROFILE)
export PACELINE ?= $(CARGO_TARGET_DIR)/$(if $(filter dev,$(BENCH_PROFILE)),debug,$(BENCH_PROFILE))/paceline
# BENCH_BINARY=…/release/paceline names one that is there already: it is measured as it is, and nothing is compiled. The bare loop is
# wanted in examples/ beside it; COMPARE_FLAGS="--bare …/bare_loop" names one elsewhere.
ifneq ($(BENCH_BINARY),)
PACELINE := $(abspath $(BENCH_BINARY))
endif

# Everything, some four hours on two cores: ten minutes of parts, a quarter of an hour of bench-long, and the comparisons, of which jobs
# of a million records take half.
bench: bench-parts bench-long bench-compare

bench-parts: bench-binary
	$(BENCH) --bench parts --bench trip
	$(BENCH) --bench whole

# Some fifteen minutes: a million records at 5,000 a second, ten million without a limit, rows over the memory of executors.
bench-long: bench-binary
	$(BENCH) --bench whole -- million memory spill

# Beside PySpark, Sail, DataFusion, asyncio and a bare loop, in turns; writes benches/compare/results/ and docs/benchmarks.md anew.
# COMPARE_FLAGS="--only tpch-1 --rounds 1" measures less, "--minutes 5" begins no round that would not end within five minutes of its
# scenario; PySpark takes part where there is Java 8, 11 or 17.
COMPARE_VENV := $(TOOLS)/compare-$(shell cksum < benches/compare/requirements.txt | cut -d' ' -f1)
COMPARE := PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=benches $(COMPARE_VENV)/bin/python
COMPARE_FLAGS ?=

bench-compare: bench-binary $(COMPARE_VENV)/ready
	$(COMPARE) -m compare run $(COMPARE_FLAGS)

# Fails where more than 15 % beyond the noise was lost against the figures that are committed, as ratios; half an hour.
bench-regress: bench-binary $(COMPARE_VENV)/ready
	$(COMPARE) -m compare regress $(COMPARE_FLAGS)

# Whether the comparison still runs and all answers agree; no figures. A minute or two.
bench-quick: $(COMPARE_VENV)/ready
	$(BUILD)
	$(COMPARE) -m pytest -q -p no:cacheprovider benches/compare/tests
	$(COMPARE) -m compare quick --paceline $(DEBUG_BINARY)

# Flame graphs of the three hottest scenarios in docs/benchmarks/profiles/, by perf and inferno; a few minutes. The binary needs its
# symbols.
INFERNO := 0.12.8
bench-profile: bench-binary $(COMPARE_VENV)/ready $(TOOLS)/inferno-$(INFERNO)/bin/inferno-flamegraph
	PATH="$(TOOLS)/inferno-$(INFERNO)/bin:$$PATH" $(COMPARE) -m compare profile $(COMPARE_FLAGS)

$(TOOLS)/inferno-$(INFERNO)/bin/inferno-flamegraph:
	cargo install --locked --debug --root $(TOOLS)/inferno-$(INFERNO) inferno@$(INFERNO)

bench-page: $(COMPARE_VENV)/ready
	$(COMPARE) -m compare page

$(COMPARE_VENV)/ready: benches/compare/requirements.txt
	$(PYTHON) -m venv $(COMPARE_VENV)
	$(COMPARE_VENV)/bin/pip install --quiet --requirement $<
	touch $@

# Page, REST and receiver beside each other for two minutes, over a million records.
bench-receiver: bench-binary $(SERVICE_TESTS)/ready
	tests/service/programs.sh
	cp tests/service/*.mjs $(SERVICE_TESTS) && cd $(SERVICE_TESTS) && RECORDS=1000000 node --test receiver.test.mjs

# How fast Python gets it: the import, a first statement, and a million records beside PySpark, which needs Java 8, 11 or 17.
BENCH_PYTHON := $(TOOLS)/bench-python-$(shell cksum < python/benches/requirements.txt | cut -d' ' -f1)
bench-python: java bench-binary $(BENCH_PYTHON)/ready
	$(BENCH_PYTHON)/bin/python python/benches/python.py $(PACELINE)

$(BENCH_PYTHON)/ready: python/benches/requirements.txt
	$(PYTHON) -m venv $(BENCH_PYTHON)
	$(BENCH_PYTHON)/bin/pip install --quiet --requirement $<
	touch $@

bench-binary:
	$(if $(BENCH_BINARY),test -x $(PACELINE),$(BUILD) --profile $(BENCH_PROFILE))

tools: $(TOOLS)/bin/cargo-deny $(TOOLS)/typos-$(TYPOS)/bin/typos
	cargo nextest --version >/dev/null 2>&1 || cargo install --locked --debug cargo-nextest@$(NEXTEST)

$(TOOLS)/bin/cargo-deny:
	cargo install --locked --debug --root $(TOOLS) cargo-deny@$(DENY)

$(TOOLS)/typos-$(TYPOS)/bin/typos:
	$(PYTHON) -m venv $(TOOLS)/typos-$(TYPOS)
	$(TOOLS)/typos-$(TYPOS)/bin/pip install --quiet typos==$(TYPOS)

$(TOOLS)/bin/cargo-llvm-cov:
	cargo install --locked --debug --root $(TOOLS) cargo-llvm-cov@$(CARGO_LLVM_COV)

$(TOOLS)/pyspark-$(PYSPARK)/bin/spark-submit:
	$(PYTHON) -m venv $(TOOLS)/pyspark-$(PYSPARK)
	$(TOOLS)/pyspark-$(PYSPARK)/bin/pip install --quiet pyspark==$(PYSPARK)
