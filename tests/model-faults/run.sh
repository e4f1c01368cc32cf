#!/usr/bin/env bash
# Takes each fix out in turn and sees the model of planner, ledger and directory find the fault.
#   tests/model-faults/run.sh [HISTORIES] [PATCH...]
# Each patch of this folder is one fault; its first line says which. A fault that the model does not find is a failure of
# this script, as is a patch that no longer applies. The code is copied to target/model-faults; the working tree is left
# alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
histories=${1:-2000}
if [ $# -gt 1 ]; then faults=("${@:2}"); else faults=(tests/model-faults/*.patch); fi
copy=$PWD/target/model-faults
tests=(nobody_is_lost no_change_is_passed_over any_exchange_of_values)

of_copy() {
  env CARGO_TARGET_DIR="$PWD/target" RUZHI_HISTORIES="$histories" \
    cargo test --quiet --locked --manifest-path "$copy/Cargo.toml" --workspace --lib "$@" >"$copy.log" 2>&1
}

rm -rf "$copy"
git worktree prune
git worktree add --quiet --detach "$copy"
trap 'git worktree remove --force "$copy"' EXIT
git diff HEAD --binary >"$copy.changes"

not_found=0
for fault in none "${faults[@]}"; do
  git -C "$copy" checkout --quiet --force HEAD
  git -C "$copy" apply --allow-empty "$copy.changes"
  if [ "$fault" != none ]; then git -C "$copy" apply "$PWD/$fault"; fi
  if ! of_copy --no-run; then
    printf '%s: does not build, see %s\n' "$fault" "$copy.log"
    exit 2
  fi
  if of_copy -- "${tests[@]}"; then found=""; else found=$(sed -n 's/^---- \(.*\) stdout ----$/\1/p' "$copy.log" | sort -u); fi
  case $fault,$found in
    none,) printf 'without a fault: passes\n' ;;
    none,*) printf 'without a fault: fails, see %s\n' "$copy.log"; exit 2 ;;
    *,) printf 'NOT FOUND  %s\n' "$(head -1 "$fault")"; not_found=$((not_found + 1)) ;;
    *) printf 'found      %s\n           by %s\n' "$(head -1 "$fault")" "$(tr '\n' ' ' <<<"$found")" ;;
  esac
done
printf '%d of %d faults found, %d histories each\n' $((${#faults[@]} - not_found)) ${#faults[@]} "$histories"
[ "$not_found" = 0 ]
