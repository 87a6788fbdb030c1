#!/usr/bin/env bash
# Builds every package for this platform from one release binary: the bundle for Claude Desktop (.mcpb), the wheel, the
# npm packages, an archive of the bare binary, what it is made of (CycloneDX), server.json for the MCP registry, and
# SHA256SUMS.
#
#     packaging/build.sh [FOLDER]      # default: packages in Cargo's target folder; those of an earlier build are replaced
#
# Needs a Rust toolchain, python3 with venv, and npm. MATURIN_FLAGS says more to maturin, such as --compatibility.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/home.sh"
cd "$here/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
out="${1:-$CARGO_TARGET_DIR/packages}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

"$here/setup.sh"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
rm -f "$out"/fintecture[-_]mcp-* "$out/server.json" "$out/SHA256SUMS"

cargo build --release --locked
binary="$CARGO_TARGET_DIR/release/fintecture-mcp"
# The wheel first: maturin runs Cargo once more, which must find nothing left to do.
# shellcheck disable=SC2086 # several flags
PATH="$home/python/bin:$PATH" maturin build --release --quiet --out "$out" ${MATURIN_FLAGS:-}

"$python" -B "$here/stage.py" "$binary" "$work" >"$work/names.sh"
source "$work/names.sh" # version, platform
"$home/node_modules/.bin/mcpb" validate "$work/mcpb/manifest.json"
"$home/node_modules/.bin/mcpb" pack "$work/mcpb" "$out/fintecture-mcp-$version-$platform.mcpb"
for package in "$work"/npm/*/; do
  npm pack --silent --pack-destination "$out" "$package"
done
"$python" -m zipfile -e "$out"/*.whl "$work/wheel" # maturin asks cargo-cyclonedx
cp "$work"/wheel/*.dist-info/sboms/fintecture-mcp.cyclonedx.json "$out/fintecture-mcp-$version-$platform.cdx.json"
tar -C "$work/archive" -czf "$out/fintecture-mcp-$version-$platform.tar.gz" .
"$here/release_files.sh" "$out"
