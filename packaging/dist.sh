#!/usr/bin/env bash
# Packs a binary and its files: dist.sh BINARY GUESTS OUT. The same binary, guests and commit give the same tarball, bit for
# bit.
set -euo pipefail
binary=$(realpath "$1") guests=$(realpath "$2") out=$3
cd "$(dirname "$0")/.."

version=$("$binary" --version | cut -d' ' -f2)
arch=$(rustc -vV | sed -n 's/^host: \([^-]*\)-.*/\1/p')
name=ruzhi-$version-$arch-linux
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/$name
mkdir -p "$root"/{bin,guests,example,completions,man/man1,systemd,grafana,prometheus,docs}
strip -s -o "$root/bin/ruzhi" "$binary"
cp "$guests"/{member,jingxintai}.wasm "$root/guests/"
cp -r docs/example/. "$root/example/"
# The example's tenant expects its component beside its own folder.
ln -s ../guests "$root/example/guests"
cp packaging/systemd/* "$root/systemd/"
cp packaging/grafana/ruzhi.json "$root/grafana/"
cp packaging/prometheus/alerts.yml "$root/prometheus/"
cp packaging/Containerfile LICENSE README.md README.zh-CN.md CHANGELOG.md "$root/"
cp -r docs/guide docs/images docs/reference docs/decisions docs/README.md docs/architecture.md docs/reliability.md "$root/docs/"
"$binary" completions bash > "$root/completions/ruzhi.bash"
"$binary" completions zsh > "$root/completions/_ruzhi"
"$binary" completions fish > "$root/completions/ruzhi.fish"
"$binary" man "$root/man/man1"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -exec chmod 644 {} +
chmod 755 "$root/bin/ruzhi" "$root/systemd/ruzhi-as-service"
mkdir -p "$out"
tar --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
  -C "$work" -cf - "$name" | gzip -n -6 > "$out/$name.tar.gz"
(cd "$out" && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")
echo "$out/$name.tar.gz"
