#!/usr/bin/env bash
# Installs every package of a folder, each from an empty home folder: test.py, with the Python that setup.sh installed.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
"$here/setup.sh"
exec "${PACKAGING_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/fintecture-mcp-ci/packaging}/python/bin/python" -B "$here/test.py" "$@"
