#!/usr/bin/env bash
# What goes with a folder of packages, of one platform or of several: server.json, checked, and SHA256SUMS.
#
#     packaging/release_files.sh FOLDER        # after setup.sh
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/home.sh"

"$python" -B "$here/release_files.py" "$1"
# Against the registry's schema, its rules, and the name that the npm package must show for it.
linted="$(mktemp -d)"
trap 'rm -rf "$linted"' EXIT
cp "$1/server.json" "$linted/"
tar -xzOf "$1"/fintecture-mcp-[0-9]*.tgz package/package.json >"$linted/package.json"
"$home/python/bin/skillsaw" lint --strict --no-plugins --no-progress "$linted"
