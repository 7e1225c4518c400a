# The commands of the project. `make run` and `make test` need nothing but the toolchains that README.md names.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/paceline-target
TOOLS := $(CARGO_TARGET_DIR)/tools
PYTHON ?= python3
NEXTEST := 0.9.143
DENY := 0.20.2
TYPOS := 1.52.0

.PHONY: run test test-aws check fmt clippy doc deny typos tidy bench tools
.DEFAULT_GOAL := run

# With --examples the dependencies get the features that the tests want too, so that both share one compilation.
run:
	cargo build --locked --workspace --bins --examples
	$(CARGO_TARGET_DIR)/debug/paceline demo

test: check
	cargo nextest run --locked --workspace
	$(MAKE) test-aws

# The binary against a local AWS, which comes from PyPI and runs on the loopback interface.
AWS_TESTS := $(TOOLS)/aws-tests-$(shell cksum < tests/aws/requirements.txt | cut -d' ' -f1)
test-aws: $(AWS_TESTS)/ready
	cargo build --locked --workspace --bins --examples
	PYTHONDONTWRITEBYTECODE=1 PACELINE=$(CARGO_TARGET_DIR)/debug/paceline $(AWS_TESTS)/bin/python -m pytest -q -p no:cacheprovider tests/aws

$(AWS_TESTS)/ready: tests/aws/requirements.txt
	$(PYTHON) -m venv $(AWS_TESTS)
	$(AWS_TESTS)/bin/pip install --quiet --requirement $<
	touch $@

check: fmt clippy doc deny typos tidy

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --locked --workspace --all-targets -- -D warnings

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --lib --bins --examples

# Advisories need a database that is fetched from elsewhere: `cargo deny check advisories` where there is a network.
deny: $(TOOLS)/bin/cargo-deny
	$(TOOLS)/bin/cargo-deny --locked --offline check bans licenses sources

typos: $(TOOLS)/typos-$(TYPOS)/bin/typos
	$<

tidy: | tools
	cargo nextest run --locked --workspace --test tidy

# As `make run` is built; `make bench BENCH_PROFILE=release` takes the profile of the binary to keep, and its time to compile.
BENCH_PROFILE ?= dev
bench:
	cargo bench --locked --workspace --profile $(BENCH_PROFILE) --bench parts --bench trip

tools: $(TOOLS)/bin/cargo-deny $(TOOLS)/typos-$(TYPOS)/bin/typos
	cargo nextest --version >/dev/null 2>&1 || cargo install --locked --debug cargo-nextest@$(NEXTEST)

$(TOOLS)/bin/cargo-deny:
	cargo install --locked --debug --root $(TOOLS) cargo-deny@$(DENY)

$(TOOLS)/typos-$(TYPOS)/bin/typos:
	$(PYTHON) -m venv $(TOOLS)/typos-$(TYPOS)
	$(TOOLS)/typos-$(TYPOS)/bin/pip install --quiet typos==$(TYPOS)
