# Installing what the steps need. What is there already is left alone.

deny=cargo-deny-0.20.2
claude_code=claude-code-2.1.197

# commands: Debian packages for the commands that are missing.
commands() {
  local missing=()
  command -v cargo >/dev/null || { echo "a Rust toolchain is needed: https://rustup.rs"; return 1; }
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  command -v curl >/dev/null || missing+=(curl)
  command -v openssl >/dev/null || missing+=(openssl)
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
  command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium fonts-dejavu-core)
  command -v redis-server >/dev/null || missing+=(redis-server)
  command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=(nginx-light)
  command -v zsh >/dev/null || missing+=(zsh)
  command -v fish >/dev/null || missing+=(fish)
  command -v mandoc >/dev/null || missing+=(mandoc)
  compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || missing+=(libfaketime)
  if [ "${#missing[@]}" = 0 ]; then
    echo "none is missing"
    return
  fi
  echo "apt-get install ${missing[*]}"
  quietly apt-get update
  DEBIAN_FRONTEND=noninteractive quietly apt-get install -y --no-install-recommends "${missing[@]}"
}

# quietly COMMAND...: shows its output only if it fails.
quietly() {
  local log
  log="$(mktemp)"
  "$@" >"$log" 2>&1 || { tail -n 60 "$log"; rm "$log"; return 1; }
  rm "$log"
}

# cargo_deny: not optimized, since it is built more often than it is slow.
cargo_deny() {
  [ -x "$cache/$deny/bin/cargo-deny" ] && return
  echo "installing $deny"
  CARGO_TARGET_DIR="$cache/build" CARGO_PROFILE_DEV_DEBUG=0 \
    quietly cargo install --locked --debug --root "$cache/$deny" "${deny%-*}@${deny##*-}"
  rm -rf "$cache/build"
}

# venv NAME PACKAGE...: a Python with these packages, in a folder of the cache.
venv() {
  local home="$cache/$1"
  shift
  [ "$(cat "$home/installed.txt" 2>/dev/null)" = "$*" ] && return
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet "$@"
  echo "$*" >"$home/installed.txt" # last, so half an install counts as none
}

# docs_checks: what the checker of the documentation imports.
docs_checks() { venv docs markdown-it-py==4.3.0 mdit-py-plugins==0.7.0 json5==0.17.3 PyYAML==6.0.3; }

# python_checks: what capability-files.py imports.
python_checks() { venv python jsonschema==4.26.0 PyYAML==6.0.3 yamlcore==0.0.4; }

# skills_ref: the reference validator of the Agent Skills format.
skills_ref() { venv skills skills-ref==0.1.1; }

# rest_tools: what judges the REST face.
rest_tools() { venv rest openapi-spec-validator==0.9.0 schemathesis==4.32.5; }

# claude_code_install: its program, without the scripts of other packages.
claude_code_install() {
  [ -x "$cache/$claude_code/installed" ] && return
  mkdir -p "$cache/$claude_code"
  npm install --prefix "$cache/$claude_code" --silent --no-audit --no-fund --ignore-scripts \
    "@anthropic-ai/${claude_code%-*}@${claude_code##*-}"
  node "$cache/$claude_code/node_modules/@anthropic-ai/claude-code/install.cjs"
  install -m 755 /dev/null "$cache/$claude_code/installed"
}
