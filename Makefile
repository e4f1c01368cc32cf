# The commands for users and developers:
#   make demo    set everything up, sync a simulated factory, and leave `ruzhi serve` running with three; END=1 stops it
#   make demo-safety  a wrong filter, a wrong import, a crash, wrong rules, drift: no one is lost
#   make test    set everything up, lint, run every test
#   make guests  build the components into guests/built
#   make languages  build the guests in TypeScript and Python too
#   make bench   measure, as ratios in one run
#   make histories  check the model of planner, ledger and directory over COUNT=100000 random histories
#   make model-faults  remove each fix in turn, and check that the model finds the fault
#   make soak    run one process under every fault for MINUTES=20; its memory must stay flat
#   make load    load one process in every way at once for MINUTES=10: /healthz must answer, no run may be late
#   make browser install a browser, Chinese fonts and the accessibility rules for the tests of the pages
#   make dist    build one tarball with the binary and its files, in dist/
#   make lint    check formatting, clippy and dependencies
#   make fuzz    fuzz the host's inputs; SECONDS=60 for each target
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

# Guests in other languages are built only if their sources changed, because a Python guest takes a minute.
LANGUAGES := jingxintai-python jingxintai-typescript helpers-typescript
TYPESCRIPT := guests/typescript/compiler
# Tests build a few small guests, so their compiler is built unoptimised; authors get the optimised one.
COMPILER_KIND := $(if $(UNOPTIMISED),unoptimised,optimised)
COMPILER_TARGET := $(TYPESCRIPT)/target/$(COMPILER_KIND)
COMPILER := $(COMPILER_TARGET)/release/ruzhi-typescript

.PHONY: help demo demo-safety test browser histories model-faults soak load guests bench dist lint format clippy clippy-guests deny fuzz toolchain guests-dev languages languages-dev

help:
	@sed -n 's/^#   //p' Makefile

# Installs the parts a fresh machine lacks: a C compiler for two crates, and a Rust that can compile to WebAssembly.
toolchain:
	@guests/toolchain.sh $(RUZHI_WASM_TOOLCHAIN)

# Builds every guest with the given build of ruzhi.
define build_guests
	@for guest in $(GUESTS); do $(1) guest build guests/$$guest -o $(BUILT)/$$guest.wasm; done
	@for guest in $(FIXTURES); do $(1) guest build guests/fixtures/$$guest -o $(BUILT)/$$guest.wasm; done
endef

LINTED_CARGO := tests/linted-cargo.sh
CARGO := $(if $(LINTED),$(LINTED_CARGO),cargo)

# Builds all three crates at once: building them separately would compile shared libraries twice, with different
# features.
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

# A separate program with its own engine, to keep both out of the host. It is copied to where ruzhi looks for it.
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

# Licences, sources and advisories of the dependencies. Advisories need their database, which is fetched; without it
# the rest is checked.
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
	RUZHI_HISTORIES=$(COUNT) cargo test --release --locked --workspace --lib -- no_member_is_lost

model-faults:
	@tests/model-faults/run.sh

# Every fault, one after the other.
soak: guests
	@target/release/ruzhi-soak $(or $(MINUTES),20)

# Everything at once.
load: guests
	@target/release/ruzhi-load $(or $(MINUTES),10)

dist: guests
	@packaging/dist-check.sh $$(packaging/dist.sh target/release/ruzhi $(BUILT) dist)

SECONDS ?= 60
FUZZ := guest_output component component_child rules_file qeasy wecom_answer jiandaoyun_answer webhook tenant_file

# A separate crate with its own lock file. The fuzzer needs unstable flags, which RUSTC_BOOTSTRAP allows on the stable
# compiler. The target `component` starts from the components in guests/fixtures/v0.1.
fuzz: export RUSTC_BOOTSTRAP = 1
fuzz:
	@command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
	@cd tests/fuzz && for target in $(FUZZ); do \
	  mkdir -p corpus/$$target seeds/$$target; \
	  seeds=seeds/$$target; [ $$target != component ] || seeds=../../guests/fixtures/v0.1; \
	  cargo fuzz run --fuzz-dir . --sanitizer none $$target corpus/$$target $$seeds -- \
	    -max_total_time=$(SECONDS) -timeout=30 -rss_limit_mb=4096 -max_len=65536; \
	done
