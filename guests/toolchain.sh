#!/usr/bin/env bash
# Installs the missing requirements of the builds, and leaves existing ones alone.
#   guests/toolchain.sh [auto|installed|rustup|debian|languages]
# auto uses the installed wasm target, else installs it with rustup, else installs Debian's packages. languages installs
# the requirements of guests in other languages than Rust.
set -euo pipefail

choice=${1:-auto}
target=wasm32-unknown-unknown

say() { printf 'toolchain: %s\n' "$1" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    say "this needs root / 需要 root 权限: $*"; exit 1
  fi
}

install_packages() {
  if ! command -v apt-get >/dev/null; then
    say "install these by hand / 请手动安装: $*"; exit 1
  fi
  say "installing $*"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

target_installed() {
  local folder
  folder=$(rustc --print target-libdir --target "$target" 2>/dev/null) && [ -d "$folder" ]
}

debian_installed() {
  [ -x /usr/bin/cargo ] && [ -x /usr/bin/rustc ] &&
    [ -d "$(/usr/bin/rustc --print sysroot)/lib/rustlib/src/rust/library/std" ]
}

add_by_rustup() { command -v rustup >/dev/null && timeout 180 rustup target add "$target"; }

add_by_debian() { debian_installed || install_packages rustc-web cargo-web rust-web-src; }

if [ "$choice" = languages ]; then
  # ruzhi itself fetches componentize-py with pip, a PyPI package without dependencies.
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3 python3-pip
  exit
fi
if ! command -v cargo >/dev/null; then
  say "cargo is not here: install Rust with rustup first / 没有 cargo：请先用 rustup 安装 Rust"; exit 1
fi
# Two crates of the host compile C.
command -v cc >/dev/null || install_packages gcc libc6-dev
rustup component list --installed 2>/dev/null | grep -q clippy || rustup component add clippy rustfmt || true

case $choice in
  auto)
    if target_installed; then say "$target is installed"
    elif add_by_rustup; then say "rustup added $target"
    else say "rustup cannot give $target; taking Debian's packages"; add_by_debian; fi ;;
  installed)
    target_installed || { say "$target is not installed"; exit 1; } ;;
  rustup)
    add_by_rustup || { say "rustup cannot give $target"; exit 1; } ;;
  debian)
    add_by_debian ;;
  *)
    say "RUZHI_WASM_TOOLCHAIN is auto, installed, rustup or debian, not '$choice'"; exit 2 ;;
esac
