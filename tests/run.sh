#!/usr/bin/env bash
# Runs every check and every test, and says at the end what each step cost.
#   tests/run.sh        all of it: `make test`
# The first step that fails ends the run; the table is printed all the same.
set -euo pipefail
cd "$(dirname "$0")/.."

names=() seconds=()

step() {
  local name=$1 begin=$SECONDS
  shift
  names+=("$name") seconds+=("running")
  printf '\n== %s: %s\n' "$name" "$*"
  "$@"
  seconds[-1]=$((SECONDS - begin))
}

report() {
  printf '\n%8s  step\n' seconds
  for at in "${!names[@]}"; do printf '%8s  %s\n' "${seconds[at]}" "${names[at]}"; done
  printf '%8s  all\n' "$SECONDS"
}
trap report EXIT

make="make --no-print-directory"
step toolchain $make toolchain
step format $make format
step "clippy of the host" $make clippy
step "clippy of the guests" $make clippy-guests
