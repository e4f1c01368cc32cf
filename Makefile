# The commands a person has to know:
#   make demo    set everything up, sync a simulated factory twice, end
#   make demo-safety  a filter slip, a wrong import, a crash, wrong rules, drift: nobody is lost
#   make test    set everything up, lint, run every test
#   make guests  build the components into guests/built
#   make bench   measure, as ratios in one run
#   make lint    formatting and clippy
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

.PHONY: help demo demo-safety test guests bench lint fuzz toolchain guests-dev

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

# All three binaries at once: building them apart would compile shared libraries twice, with other features.
guests: toolchain
	cargo build --release --locked -p ruzhi -p ruzhi-sim -p ruzhi-e2e
	$(call build_guests,target/release/ruzhi)

guests-dev: toolchain
	cargo build --workspace --all-targets --locked
	$(call build_guests,target/debug/ruzhi)

lint: toolchain
	cargo fmt --all --check
	cargo fmt --all --check --manifest-path guests/Cargo.toml
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo clippy --workspace --all-targets --locked --manifest-path guests/Cargo.toml --target-dir guests/target -- -D warnings

test: lint guests-dev
	cargo test --locked --manifest-path guests/Cargo.toml --target-dir guests/target --workspace
	cargo test --workspace --locked

demo: guests
	@target/release/ruzhi-demo

demo-safety: guests
	@target/release/ruzhi-demo-safety

bench: guests
	@target/release/ruzhi-bench

SECONDS ?= 60
FUZZ := guest_output component rules_file qeasy

# A crate and a lock file of its own. The fuzzer's flags are unstable ones, for which the stable compiler is let do them.
fuzz: export RUSTC_BOOTSTRAP = 1
fuzz:
	@command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz --locked
	@cd tests/fuzz && for target in $(FUZZ); do \
	  mkdir -p corpus/$$target seeds/$$target; \
	  cargo fuzz run --fuzz-dir . --sanitizer none $$target corpus/$$target seeds/$$target -- \
	    -max_total_time=$(SECONDS) -timeout=30 -rss_limit_mb=4096 -max_len=65536; \
	done
