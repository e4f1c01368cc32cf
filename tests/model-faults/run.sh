#!/usr/bin/env bash
# Removes each fix in turn and checks that the model of planner, ledger and directory finds the fault.
#   tests/model-faults/run.sh [HISTORIES] [PATCH...]
# Each patch in this folder is one fault, named in its first line. The script fails if the model does not find a fault, or
# if a patch no longer applies. The code is copied to target/model-faults/code and built beside it, with the dependencies
# in target/debug; the working tree is left alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
histories=${1:-5000}
if [ $# -gt 1 ]; then faults=("${@:2}"); else faults=(tests/model-faults/*.patch); fi
folder=$PWD/target/model-faults
copy=$folder/code
log=$folder/output
tests=(no_member_is_lost no_change_is_passed_over any_exchange_of_values)

of_copy() {
  env CARGO_TARGET_DIR="$folder/target" RUZHI_HISTORIES="$histories" \
    cargo test --quiet --locked --manifest-path "$copy/Cargo.toml" --workspace --lib "$@" >"$log" 2>&1
}

rm -rf "$folder"
git worktree prune
mkdir -p "$folder/target"
git worktree add --quiet --detach "$copy"
trap 'git worktree remove --force "$copy"; rm -rf "$folder"' EXIT
git diff HEAD --binary >"$folder/changes"
if [ -d target/debug ]; then cp -a target/debug "$folder/target/"; fi

not_found=0
for fault in none "${faults[@]}"; do
  git -C "$copy" checkout --quiet --force HEAD
  git -C "$copy" apply --allow-empty "$folder/changes"
  if [ "$fault" != none ]; then git -C "$copy" apply "$PWD/$fault"; fi
  if ! of_copy --no-run; then
    printf '%s: does not build\n' "$fault"; cat "$log"
    exit 2
  fi
  if of_copy -- "${tests[@]}"; then found=""; else found=$(sed -n 's/^---- \(.*\) stdout ----$/\1/p' "$log" | sort -u); fi
  case $fault,$found in
    none,) printf 'without a fault: passes\n' ;;
    none,*) printf 'without a fault: fails\n'; cat "$log"; exit 2 ;;
    *,) printf 'NOT FOUND  %s\n' "$(head -1 "$fault")"; not_found=$((not_found + 1)) ;;
    *) printf 'found      %s\n           by %s\n' "$(head -1 "$fault")" "$(tr '\n' ' ' <<<"$found")" ;;
  esac
done
printf '%d of %d faults found, %d histories each\n' $((${#faults[@]} - not_found)) ${#faults[@]} "$histories"
[ "$not_found" = 0 ]
