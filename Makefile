# The commands a person has to know:
#   make demo    set everything up, sync a simulated factory, and serve three: leaves you at a page; END=1 ends by itself
#   make demo-safety  a filter slip, a wrong import, a crash, wrong rules, drift: nobody is lost
#   make test    set everything up, lint, run every test
#   make guests  build the components into guests/built
#   make languages  those written in TypeScript and Python too
#   make bench   measure, as ratios in one run
#   make histories  the model of planner, ledger and directory over COUNT=100000 random histories
#   make model-faults  take each fix out in turn, and see the model find the fault
#   make soak    a process that stays, under every fault, for MINUTES=20; its memory must stay flat
#   make load    everything at once, for MINUTES=10: /healthz must answer, no run may be late
#   make browser what the tests of the pages need: a browser, letters for Chinese, the rules of accessibility
#   make dist    one tarball with the binary and what belongs to it, in dist/
#   make lint    formatting, clippy, and what the dependencies may be
#   make fuzz    search what comes from outside for what breaks the host; SECONDS=60 for each target
#
# RUZHI_WASM_TOOLCHAIN chooses the Rust that builds the guests: auto (the default), installed, rustup or debian.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
RUZHI_WASM_TOOLCHAIN ?= auto
export RUZHI_WASM_TOOLCHAIN

GUESTS := member jingxintai
FIXTURES := misbehaving
BUILT := guests/built

# The guests in other languages: built where the sources changed, for a Python guest takes a minute.
LANGUAGES := jingxintai-python jingxintai-typescript helpers-typescript
TYPESCRIPT := guests/typescript/compiler
# Tests build a few small guests, so what they use is compiled without optimising; authors get the quick one.
COMPILER_KIND := $(if $(UNOPTIMISED),unoptimised,optimised)
COMPILER_TARGET := $(TYPESCRIPT)/target/$(COMPILER_KIND)
COMPILER := $(COMPILER_TARGET)/release/ruzhi-typescript

.PHONY: help demo demo-safety test browser histories model-faults soak load guests bench dist lint format clippy clippy-guests deny fuzz toolchain guests-dev languages languages-dev

help:
	@sed -n 's/^#   //p' Makefile

# What a fresh machine lacks: a C compiler for two crates, and a Rust that can compile to WebAssembly.
toolchain:
	@guests/toolchain.sh $(RUZHI_WASM_TOOLCHAIN)

# One command builds every guest, ruzhi itself; PROFILE says which build of it.
define build_guests
	@for guest in $(GUESTS); do $(1) guest build guests/$$guest -o $(BUILT)/$$guest.wasm; done
	@for guest in $(FIXTURES); do $(1) guest build guests/fixtures/$$guest -o $(BUILT)/$$guest.wasm; done
endef

# `cargo clippy` checks the dependencies where a build compiles them: the one cannot use what the other made, and each is
# minutes of work. So the lints run in a build, whose compiler of our own crates is clippy; `make test` tests what it leaves.
export CLIPPY_ARGS := -D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
LINTED_CARGO := cargo --config 'build.rustc-workspace-wrapper="clippy-driver"'
CARGO := $(if $(LINTED),$(LINTED_CARGO),cargo)

# All three binaries at once: building them apart would compile shared libraries twice, with other features.
guests: toolchain
	cargo build --release --locked -p ruzhi -p ruzhi-sim -p ruzhi-e2e
	$(call build_guests,target/release/ruzhi)

guests-dev: toolchain
	$(CARGO) build --workspace --all-targets --locked
	$(call build_guests,target/debug/ruzhi)

languages: guests
	@guests/toolchain.sh languages
	@$(MAKE) --no-print-directory $(COMPILER) $(LANGUAGES:%=$(BUILT)/%.wasm) RUZHI=target/release/ruzhi

languages-dev: guests-dev
	@guests/toolchain.sh languages
	@$(MAKE) --no-print-directory $(LANGUAGES:%=$(BUILT)/%.wasm) RUZHI=target/debug/ruzhi UNOPTIMISED=1

# A program of its own with an engine of its own, so that the host has neither; put where ruzhi looks for it.
$(COMPILER): $(wildcard $(TYPESCRIPT)/src/*.rs $(TYPESCRIPT)/Cargo.* guests/typescript/sdk/*.ts) wit/v0.2/mapping.wit
	$(if $(UNOPTIMISED),,CARGO_PROFILE_RELEASE_OPT_LEVEL=2) cargo build --release --locked --manifest-path $(TYPESCRIPT)/Cargo.toml --target-dir $(COMPILER_TARGET)
	@touch $@
	@folder=target/$(if $(UNOPTIMISED),debug,release); if [ -d $$folder ]; then cp $@ $$folder/; fi

$(BUILT)/jingxintai-typescript.wasm: $(wildcard guests/typescript/jingxintai/*.json guests/typescript/jingxintai/src/*) $(COMPILER)
	@cp $(COMPILER) $(dir $(RUZHI))
	$(RUZHI) guest build guests/typescript/jingxintai -o $@

$(BUILT)/helpers-typescript.wasm: $(wildcard guests/fixtures/helpers-typescript/*.json guests/fixtures/helpers-typescript/src/*) $(COMPILER)
	@cp $(COMPILER) $(dir $(RUZHI))
	$(RUZHI) guest build guests/fixtures/helpers-typescript -o $@

$(BUILT)/jingxintai-python.wasm: $(wildcard guests/python/sdk/*.py guests/python/jingxintai/*.py*) wit/v0.2/mapping.wit
	$(RUZHI) guest build guests/python/jingxintai -o $@

lint: toolchain format deny clippy clippy-guests

format:
	cargo fmt --all --check
	cargo fmt --all --check --manifest-path guests/Cargo.toml
	cargo fmt --all --check --manifest-path $(TYPESCRIPT)/Cargo.toml

clippy:
	$(LINTED_CARGO) build --workspace --all-targets --locked

clippy-guests:
	$(LINTED_CARGO) build --workspace --all-targets --locked --manifest-path guests/Cargo.toml --target-dir guests/target

# Licences, sources and advisories of what others wrote. Advisories need their database, which is fetched; without it the
# rest is checked.
deny:
	@tests/deny.sh

browser:
	@tests/e2e/browser.sh

test:
	@tests/run.sh

demo: guests
	@target/release/ruzhi-demo $(if $(END),--end)

demo-safety: guests
	@target/release/ruzhi-demo-safety

bench: guests
	@target/release/ruzhi-bench

COUNT ?= 100000

histories:
	RUZHI_HISTORIES=$(COUNT) cargo test --release --locked --workspace --lib -- nobody_is_lost

model-faults:
	@tests/model-faults/run.sh

# Everything that goes wrong, one thing after the other.
soak: guests
	@target/release/ruzhi-soak $(or $(MINUTES),20)

# Everything at once.
load: guests
	@target/release/ruzhi-load $(or $(MINUTES),10)

dist: guests
	@packaging/dist-check.sh $$(packaging/dist.sh target/release/ruzhi $(BUILT) dist)

SECONDS ?= 60
FUZZ := guest_output component component_child rules_file qeasy wecom_answer jiandaoyun_answer webhook tenant_file

# A crate and a lock file of its own. The fuzzer's flags are unstable ones, for which the stable compiler is let do them.
# Loaded files grow out of the component that was built once.
fuzz: export RUSTC_BOOTSTRAP = 1
fuzz:
	@command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
	@cd tests/fuzz && for target in $(FUZZ); do \
	  mkdir -p corpus/$$target seeds/$$target; \
	  seeds=seeds/$$target; [ $$target != component ] || seeds=../../guests/fixtures/v0.1; \
	  cargo fuzz run --fuzz-dir . --sanitizer none $$target corpus/$$target $$seeds -- \
	    -max_total_time=$(SECONDS) -timeout=30 -rss_limit_mb=4096 -max_len=65536; \
	done
