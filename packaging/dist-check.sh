#!/usr/bin/env bash
# Unpacks a tarball into an empty folder and tries it as an installer would: dist-check.sh TARBALL.
set -euo pipefail
tarball=$(realpath "$1")
(cd "$(dirname "$tarball")" && sha256sum --check --quiet "$(basename "$tarball").sha256")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
tar -xzf "$tarball"
cd ruzhi-*
for file in bin/ruzhi guests/member.wasm guests/jingxintai.wasm systemd/ruzhi.service systemd/ruzhi.sysusers \
  systemd/ruzhi-as-service LICENSE README.md \
  completions/ruzhi.bash completions/_ruzhi completions/ruzhi.fish man/man1/ruzhi.1 man/man1/ruzhi-sync.1 \
  grafana/ruzhi.json prometheus/alerts.yml docs/guide/install.md docs/reference/configuration.md Containerfile; do
  [ -s "$file" ] || { echo "$file is not in the tarball" >&2; exit 1; }
done
# Nothing from the build machine is needed.
ruzhi() { env -i PATH=/nonexistent HOME="$work" JINGXINTAI_WECOM_SECRET=s JINGXINTAI_JDY_KEY=k "$PWD/bin/ruzhi" "$@"; }
[ "$(ruzhi --version)" = "ruzhi $(basename "$PWD" | cut -d- -f2)" ]
ruzhi --config example check --json | grep -q '"ok": true'
bash -n completions/ruzhi.bash
sh -n systemd/ruzhi-as-service
if command -v systemd-analyze >/dev/null; then
  # The unit's user and binary do not exist on this machine; everything else must be right.
  sed "s|^ExecStart=/usr/local/bin/ruzhi|ExecStart=$PWD/bin/ruzhi|; s/^User=.*/User=root/; s/^Group=.*/Group=root/" \
    systemd/ruzhi.service > ruzhi.service
  verified=$(systemd-analyze verify --man=no ./ruzhi.service 2>&1 | grep 'ruzhi\.service' || true)
  [ -z "$verified" ] || { echo "$verified" >&2; exit 1; }
  systemd-analyze security --offline=yes --threshold=20 systemd/ruzhi.service >/dev/null
fi
echo "$(basename "$tarball"): unpacked and tried"
