#!/usr/bin/env bash
# Checks what the dependencies may be (deny.toml): licences, sources, versions that are there twice, advisories. Where the
# database of advisories cannot be reached it says so, and the rest counts.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'deny: %s\n' "$1" >&2; }

if ! command -v cargo-deny >/dev/null; then
  say "installing cargo-deny"
  # It runs for seconds: building it fast is worth more than a fast program.
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
# Our own crates: what another compiles twice is not ours to choose.
printf 'Cargo.toml: '
cargo deny --locked --config deny.toml check --hide-inclusion-graph bans
