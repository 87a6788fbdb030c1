#!/usr/bin/env bash
# Installs what drives the browser, in the versions pinned here, into $BROWSER_HOME (default: the user's cache
# folder), and the authorization server of tests/interop where that has its own. What is there already in these
# versions is left alone. Needs npm, and Node 20 or newer.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="${BROWSER_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/fintecture-mcp-ci/browser}"

mkdir -p "$home"
if ! cmp -s "$here/package-lock.json" "$home/node_modules/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$home/"
  (cd "$home" && npm ci --silent --no-audit --no-fund)
  cp "$here/package-lock.json" "$home/node_modules/installed.json"
fi
"$here/../interop/setup.sh" oidc
echo "what drives the browser is in $home"
