#!/usr/bin/env bash
# Installs what builds and checks the packages, in the versions pinned here, into $PACKAGING_HOME (default: the user's
# cache folder). What is there already in these versions is left alone. Needs python3 with venv, and npm.
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/home.sh"

mkdir -p "$home"
# The copies of the lists are made last, so half an install counts as none.
if ! cmp -s "$here/requirements.txt" "$home/python/installed.txt"; then
  rm -rf "${home:?}/python"
  python3 -m venv "$home/python"
  "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$home/python/installed.txt"
fi
# Node looks for packages beside the script that imports them.
cp "$here/host.mjs" "$home/"
if ! cmp -s "$here/package-lock.json" "$home/node_modules/installed.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$home/"
  (cd "$home" && npm ci --silent --no-audit --no-fund)
  cp "$here/package-lock.json" "$home/node_modules/installed.json"
fi
