#!/usr/bin/env bash
# Runs every check and every test, and prints the seconds of each step at the end.
#   tests/run.sh
# The first failing step ends the run; the seconds are printed even then.
set -euo pipefail
cd "$(dirname "$0")/.."

names=() seconds=()

step() {
  local name=$1 begin=$SECONDS
  shift
  names+=("$name") seconds+=(failed)
  printf '\n== %s: %s\n' "$name" "$*"
  "$@"
  seconds[-1]=$((SECONDS - begin))
}

report() {
  printf '\n%8s  step\n' seconds
  for at in "${!names[@]}"; do printf '%8s  %s\n' "${seconds[at]}" "${names[at]}"; done
  printf '%8s  together\n' "$SECONDS"
}
trap report EXIT

# The tests run the linted build: our crates are compiled once.
run() { make --no-print-directory LINTED=1 "$@"; }
linted=tests/linted-cargo.sh
of_guests=(--manifest-path guests/Cargo.toml --target-dir guests/target)
of_typescript=(--manifest-path guests/typescript/compiler/Cargo.toml --target-dir guests/typescript/compiler/target/unoptimised)

step "toolchain" run toolchain
step "format" run format
step "dependencies' licences and advisories" run deny
step "build with clippy" run clippy
step "clippy of the guests" run clippy-guests
step "guests in Rust" run guests-dev
step "guests in TypeScript and Python" run languages-dev
step "browser" run browser
step "tests of the guests" "$linted" test --quiet --locked "${of_guests[@]}" --workspace
step "tests of the TypeScript compiler" cargo test --quiet --release --locked "${of_typescript[@]}"
step "tests of the Python helpers" python3 -m unittest discover guests/python/tests
# Always the whole workspace: for a part of it cargo would compile the dependencies again, with different features.
step "tests of the crates" "$linted" test --locked --workspace --lib --bins --test guest --test residue --test wall --test behaviour
# These tests wait for processes half of the time.
step "tests of whole runs" "$linted" test --locked --workspace --test whole -- --test-threads 4
step "tests of the languages" "$linted" test --locked --workspace --test languages
step "tests of the pages" "$linted" test --locked --workspace --test pages
