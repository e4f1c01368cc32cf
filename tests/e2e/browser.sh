#!/usr/bin/env bash
# Installs the missing requirements of the page tests: a browser, Chinese fonts, the accessibility rules.
#   tests/e2e/browser.sh
set -euo pipefail

cd "$(dirname "$0")/../.."
axe=target/axe/axe.min.js
# The package contains the rules' script; none of its Python code is run.
package=axe-playwright-python==0.1.8

say() { printf 'browser: %s\n' "$1" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    say "this needs root / 需要 root 权限: $*"; exit 1
  fi
}

missing=()
command -v chromium >/dev/null || missing+=(chromium)
command -v chromedriver >/dev/null || missing+=(chromium-driver)
[ -n "$(find /usr/share/fonts ~/.fonts -iname '*cjk*' -print -quit 2>/dev/null)" ] || missing+=(fonts-noto-cjk)
[ -e "$axe" ] || python3 -m pip --version >/dev/null 2>&1 || missing+=(python3 python3-pip)
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { say "install these by hand / 请手动安装: ${missing[*]}"; exit 1; }
  say "installing ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

if [ ! -e "$axe" ]; then
  say "fetching axe"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$folder" "$package"
  mkdir -p "$(dirname "$axe")"
  # Another run may be fetching it too, so the file appears only when complete.
  python3 -c 'import sys, zipfile; sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read("axe_playwright_python/axe.min.js"))' \
    "$folder"/*.whl >"$folder/axe.min.js"
  mv "$folder/axe.min.js" "$axe"
fi
