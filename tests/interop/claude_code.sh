#!/usr/bin/env bash
# Claude Code itself reads what `setup claude-code` writes, and connects: tests/interop/claude_code.sh BINARY CLAUDE
set -euo pipefail

server="$(realpath "$1")" claude="$(realpath "$2")" pages="$(realpath "$(dirname "$0")/../../docs")"
home="$(mktemp -d)"
trap 'rm -rf "$home"' EXIT
mkdir "$home/project"
cd "$home/project"
unset CLAUDE_CONFIG_DIR XDG_CONFIG_HOME
export HOME="$home" DISABLE_TELEMETRY=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1

says() { # says TEXT COMMAND...: fails where the command's output has no such text.
  local text="$1" output
  shift
  output="$("$@" 2>&1)" || { echo "$output"; exit 1; }
  grep -qF -- "$text" <<<"$output" || { echo "not there: $text"; echo "$output"; exit 1; }
  echo "ok: $text"
}

says 'Made ' "$server" setup claude-code --write
says "fintecture: $server --environment simulator - ✔ Connected" "$claude" mcp list
says 'Scope: User config' "$claude" mcp get fintecture
# Claude Code has written its own members meanwhile: they stay, and so does what stands already.
says 'nothing was written' "$server" setup claude-code --write
(umask 077 && mkdir -p "$home/.config/fintecture-mcp" && echo token >"$home/.config/fintecture-mcp/sandbox-customer-token")
says 'Added the server "fintecture-sandbox"' "$server" setup claude-code --name fintecture-sandbox --environment sandbox --write
says "fintecture-sandbox: $server --environment sandbox - ✔ Connected" "$claude" mcp list

# What `claude mcp add` writes for one project, as docs/claude-code.md has it, finds the program on the PATH.
mkdir "$home/bin" "$home/local"
ln -s "$server" "$home/bin/fintecture-mcp"
added="$(grep -x 'claude mcp add fintecture .*' "$pages/claude-code.md")"
cd "$home/local"
says 'to local config' env PATH="$home/bin:$PATH" "$claude" ${added#claude }
says 'fintecture: fintecture-mcp --environment simulator - ✔ Connected' env PATH="$home/bin:$PATH" "$claude" mcp list
cd "$home/project"

# In a project: the home folder is the reader's, and Claude Code asks before it starts anything.
says 'Made ' "$server" setup claude-code --scope project --name shared --environment sandbox --write
grep -qF '"${HOME}/.config/fintecture-mcp/sandbox-customer-token"' .mcp.json
says 'shared: ' "$claude" mcp list

# A running server, with the header from a variable.
: >"$home/log"
FINTECTURE_MCP_TOKEN=0123456789abcdef0123456789abcdef0123456789abcdef \
  "$server" serve --transport http --listen 127.0.0.1:0 --environment simulator 2>"$home/log" &
running=$!
trap 'kill "$running" 2>/dev/null; rm -rf "$home"' EXIT
for _ in $(seq 100); do
  address="$(grep -oE '127\.0\.0\.1:[0-9]+' "$home/log" | head -1)" && [ -n "$address" ] && break
  sleep 0.1
done
says 'Made ' env CLAUDE_CONFIG_DIR="$home/other" "$server" setup claude-code --url "http://$address/mcp" --bearer --write
says 'fintecture: ' env CLAUDE_CONFIG_DIR="$home/other" \
  FINTECTURE_MCP_TOKEN=0123456789abcdef0123456789abcdef0123456789abcdef "$claude" mcp list
says '✔ Connected' env CLAUDE_CONFIG_DIR="$home/other" \
  FINTECTURE_MCP_TOKEN=0123456789abcdef0123456789abcdef0123456789abcdef "$claude" mcp get fintecture
