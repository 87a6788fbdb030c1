#!/usr/bin/env bash
# What goes with a folder of packages, of one platform or of several: server.json, checked, and SHA256SUMS.
#
#     packaging/index.sh FOLDER        # after setup.sh
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="${PACKAGING_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/fintecture-mcp-ci/packaging}/python/bin"

"$python/python" -B "$here/index.py" "$1"
# skillsaw brings the registry's schema.
schema="$("$python/python" -c 'from importlib.resources import files
print(files("skillsaw") / "schemas/mcp_registry/v2025_12_11/server.schema.json")')"
"$python/check-jsonschema" --schemafile "$schema" "$1/server.json"
