#!/usr/bin/env bash
# Completions in real bash, zsh and fish, and the manual page under mandoc: tests/shells/run.sh [BINARY]
# Each shell is asked what it offers behind a line, as a person would see it, and mandoc for what a reader of it sees.
set -euo pipefail

server="$(realpath "${1:-target/debug/fintecture-mcp}")"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/bin"
ln -s "$server" "$folder/bin/fintecture-mcp"
export PATH="$folder/bin:$PATH" HOME="$folder"
cd "$folder"
for shell in bash zsh fish elvish powershell; do
  fintecture-mcp completions "$shell" >"completions.$shell"
  [ -s "completions.$shell" ] || { echo "no completions for $shell"; exit 1; }
done

# expect SHELL "LINE" "WORDS": what the shell offers at the end of the line, one word after the other.
expect() {
  local offered
  offered="$("offered_by_$1" "$2" | sort -u | tr '\n' ' ')"
  if [ "${offered% }" != "$3" ]; then
    echo "$1 offers for \"$2\": $offered, in place of: $3"
    exit 1
  fi
  echo "ok: $1: $2 → $3"
}

# As readline calls it: the words, and the function with the command, the current word and the one before.
offered_by_bash() {
  LINE="$1" bash --norc -c '
    source ./completions.bash
    function=$(complete -p fintecture-mcp | sed -E "s/.*-F ([^ ]+).*/\1/")
    read -r -a COMP_WORDS <<<"$LINE"
    [[ "$LINE" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    "$function" fintecture-mcp "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
    printf "%s\n" "${COMPREPLY[@]}"'
}

offered_by_fish() { LINE="$1" fish --no-config -c 'source ./completions.fish; complete -C "$LINE"' | cut -f1; }

# zsh completes in a terminal alone: one of its own shows the list, behind a mark.
offered_by_zsh() {
  LINE="$1" zsh -f -c '
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "PS1=; stty columns 400; autoload -U compinit; compinit -D -u; source ./completions.zsh"
    zpty -w shell "zstyle \":completion:*\" list-separator \"#\"; setopt no_beep; LISTMAX=0"
    zpty -w shell "comppostfuncs=(show); show() { print -rl -- MARK \$compstate[unambiguous] \$compstate[nmatches] KRAM }"
    zpty -w shell "print READY"
    zpty -r shell out "*READY*READY*"
    zpty -n -w shell "$LINE"$'"'\t'"'
    zpty -r shell out "*MARK*KRAM*"
    print -r -- "$out"
    zpty -d shell' | tr -d '\r' | sed -n '/MARK/,/KRAM/p' | grep -v -e MARK -e KRAM
}

expect bash "fintecture-mcp se" "serve setup"
expect bash "fintecture-mcp setup c" "claude-code claude-desktop cursor"
expect bash "fintecture-mcp setup cursor --b" "--bearer"
expect bash "fintecture-mcp serve --environment " "production sandbox simulator"
expect bash "fintecture-mcp audit v" "verify"
expect bash "fintecture-mcp --confirm-writes a" "always auto"
expect fish "fintecture-mcp se" "serve setup"
expect fish "fintecture-mcp serve --transport " "http stdio"
expect fish "fintecture-mcp setup cursor --bea" "--bearer"
# What all offers have in common, and how many there are.
expect zsh "fintecture-mcp setup claude" "2 claude-"
expect zsh "fintecture-mcp serve --transport " "2"
expect zsh "fintecture-mcp setu" "1 setup"

fintecture-mcp man >fintecture-mcp.1
mandoc -T lint -W error fintecture-mcp.1
shown="$(mandoc -T ascii fintecture-mcp.1 | sed 's/.\x08//g')" # bold is a letter typed twice
for text in "FINTECTURE_CUSTOMER_TOKEN" "--confirm-writes <never|auto|always>" "FINTECTURE-MCP AUDIT VERIFY" "--bearer"; do
  grep -qF -- "$text" <<<"$shown" || { echo "the manual page does not show: $text"; exit 1; }
done
echo "ok: the manual page"
