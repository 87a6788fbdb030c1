#!/usr/bin/env bash
# What goes with a folder of packages, of one platform or of several: server.json, checked, and SHA256SUMS.
#
#     packaging/index.sh FOLDER        # after setup.sh
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="${PACKAGING_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/fintecture-mcp-ci/packaging}/python/bin"

"$python/python" -B "$here/index.py" "$1"
# Against the registry's schema, its rules, and the name that the npm package must show for it.
linted="$(mktemp -d)"
trap 'rm -rf "$linted"' EXIT
cp "$1/server.json" "$linted/"
tar -xzOf "$1"/fintecture-mcp-[0-9]*.tgz package/package.json >"$linted/package.json"
"$python/skillsaw" lint --strict --no-plugins --no-progress "$linted"
