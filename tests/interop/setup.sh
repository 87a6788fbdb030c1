#!/usr/bin/env bash
# Installs the clients, in the versions pinned here, into $INTEROP_HOME (default: the user's cache folder).
# What is there already in these versions is left alone. Needs python3 with venv, and npm. `setup.sh oidc` installs
# the authorization server alone, which needs no python3.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="${INTEROP_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/fintecture-mcp-ci/interop}"
node=node@22.23.3 # where the system's own is older than 22

# python_clients FOLDER REQUIREMENTS: the copy of the list is made last, so half an install counts as none.
python_clients() {
  cmp -s "$here/$2" "$home/$1/installed.txt" && return
  rm -rf "${home:?}/$1"
  python3 -m venv "$home/$1"
  "$home/$1/bin/pip" install --quiet --disable-pip-version-check -r "$here/$2"
  cp "$here/$2" "$home/$1/installed.txt"
}

own_node() {
  [ -x "$home/node22/node_modules/node/bin/node" ] && return
  mkdir -p "$home/node22"
  npm install --prefix "$home/node22" --silent --no-audit --no-fund "$node"
}

# The scripts are copied too, with what they read: Node looks for packages beside the script that imports them.
typescript_clients() {
  mkdir -p "$home/typescript"
  cp "$here"/*.mjs "$here"/oauth/*.mjs "$here/kyc_facts.json" "$home/typescript/"
  cmp -s "$here/package-lock.json" "$home/typescript/node_modules/installed.json" && return
  cp "$here/package.json" "$here/package-lock.json" "$home/typescript/"
  (cd "$home/typescript" && npm ci --silent --no-audit --no-fund)
  cp "$here/package-lock.json" "$home/typescript/node_modules/installed.json"
}

# The authorization server that the clients sign in at.
authorization_server() {
  mkdir -p "$home/oidc"
  cp "$here/oidc/provider.mjs" "$home/oidc/"
  cmp -s "$here/oidc/package-lock.json" "$home/oidc/node_modules/installed.json" && return
  cp "$here/oidc/package.json" "$here/oidc/package-lock.json" "$home/oidc/"
  (cd "$home/oidc" && npm ci --silent --no-audit --no-fund)
  cp "$here/oidc/package-lock.json" "$home/oidc/node_modules/installed.json"
}

mkdir -p "$home"
if [ "$(node --version 2>/dev/null | sed -E 's/^v([0-9]+).*/\1/')" -ge 22 ] 2>/dev/null; then
  rm -rf "$home/node22"
else
  own_node
  PATH="$home/node22/node_modules/node/bin:$PATH"
fi
authorization_server
if [ "${1:-}" = oidc ]; then
  echo "the authorization server is in $home/oidc"
  exit
fi
python_clients python-2 requirements.txt
python_clients python-1 requirements-1.txt
typescript_clients
echo "the clients are in $home"
