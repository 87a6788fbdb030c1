#!/usr/bin/env bash
# Installs every package of a folder, each from an empty home folder: test.py, with the Python that setup.sh installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/home.sh"
"$here/setup.sh"
exec "$python" -B "$here/test.py" "$@"
