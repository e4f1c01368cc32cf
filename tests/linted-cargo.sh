#!/usr/bin/env bash
# Runs cargo with clippy as the compiler of the workspace's own crates; every warning is an error.
#   tests/linted-cargo.sh build --workspace --all-targets --locked
# `cargo clippy` checks the dependencies while a build compiles them: neither can use the other's output, and each
# takes minutes. So the lints run in a build, and the tests run its output.
set -euo pipefail
export CLIPPY_ARGS=-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__
exec cargo --config 'build.rustc-workspace-wrapper="clippy-driver"' "$@"
