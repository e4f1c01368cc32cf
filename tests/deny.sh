#!/usr/bin/env bash
# Checks the dependencies against deny.toml: licences, sources, duplicate versions, advisories. If the advisory
# database cannot be reached, it says so and checks the rest.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'deny: %s\n' "$1" >&2; }

if ! command -v cargo-deny >/dev/null; then
  say "installing cargo-deny"
  # It runs for seconds: a fast build matters more than a fast program.
  CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
    cargo install --quiet --locked cargo-deny
fi

checks=(licenses sources)
if said=$(cargo deny --config deny.toml fetch db 2>&1); then
  checks+=(advisories)
else
  say "the advisories are not checked, for their database cannot be reached: $(tail -1 <<<"$said")"
fi

for manifest in Cargo.toml guests/Cargo.toml guests/typescript/compiler/Cargo.toml tests/fuzz/Cargo.toml; do
  printf '%s: ' "$manifest"
  cargo deny --manifest-path "$manifest" --locked --config deny.toml check --hide-inclusion-graph "${checks[@]}"
done
# Duplicates are checked for the main workspace only: elsewhere the dependencies decide.
printf 'Cargo.toml: '
cargo deny --locked --config deny.toml check --hide-inclusion-graph bans
