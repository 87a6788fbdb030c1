#!/usr/bin/env bash
# The official clients through a real authorization server: run.sh SERVER_BINARY. Installs what it needs.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
server="$(realpath "$1")"
"$here/../setup.sh"
exec python3 "$here/run.py" "$server"
