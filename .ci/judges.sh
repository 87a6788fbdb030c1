# The outside judges of ../shared/judges, each against a server of its own on a free port of 127.0.0.1.

judges_home="${JUDGES_HOME:-$HOME/.cache/judges}"
stdio_server="$server serve --environment simulator"

# start LINE ARGUMENT...: starts the built program, waits until its log says LINE, an address follows and takes a
# connection; sets pid and address. Where the step fails before stop, the log is shown.
start() {
  local line="$1" deadline=$((SECONDS + 20))
  shift
  log="$(mktemp)"
  trap 'echo "the server said:"; tail -n 40 "$log"' EXIT
  env -u RUST_LOG "$server" "$@" 2>"$log" &
  pid=$!
  address=
  until [ -n "$address" ] && curl --silent --output /dev/null "$address/"; do
    if [ "$SECONDS" -ge "$deadline" ] || ! kill -0 "$pid" 2>/dev/null; then
      echo "no connection to: $server $*"
      return 1
    fi
    sleep 0.05
    address="$(sed -nE "s|.*$line (http://127\.0\.0\.1:[0-9]+).*|\1|p" "$log")"
  done
}

# stop: SIGTERM must end what start started, and well.
stop() {
  kill -TERM "$pid"
  wait "$pid"
  trap - EXIT
  rm "$log"
}

start_http() { start "serving Streamable HTTP at" serve --transport http --environment simulator --listen 127.0.0.1:0; }
start_simulator() { start "Customers API answers at" simulator --listen 127.0.0.1:0 --token T; }

judges_install() { "$judges/setup.sh"; }

conformance() {
  start_http
  "$judges/conformance.py" "$address/mcp"
  stop
}

portable_schemas() {
  start_http
  "$judges/schemas.py" stdio "$stdio_server"
  "$judges/schemas.py" http "$address/mcp"
  "$judges/schemas.py" sse "$address/sse"
  stop
}

inspector() {
  start_http
  inspect "stdio" "$server" serve --environment simulator
  inspect "http" --transport http --server-url "$address/mcp" --strict
  inspect "sse" --transport sse --server-url "$address/sse" --strict
  stop
}

# inspect NAME ARGUMENT...: does the Inspector see the tools?
inspect() {
  local name="$1" out
  shift
  out="$("$judges/inspector.sh" --method tools/list --format json "$@")" || { echo "$out"; return 1; }
  grep -q '"verify_identity"' <<<"$out" || { echo "$out"; return 1; }
  echo "ok   $name"
}

official_clients() {
  local transport mode
  local -A target
  local call='{"action":"list"}' node="$judges_home/node/node22/node_modules/node/bin/node"
  start_http
  target=([stdio]="$stdio_server" [http]="$address/mcp" [sse]="$address/sse")
  for transport in stdio http sse; do
    for mode in --mode=auto --mode=legacy --mode=2026-07-28 --low; do
      client "python $transport $mode" "$judges/clients/python.py" "$transport" "${target[$transport]}" "$mode" \
        --tool manage_customers --args "$call"
    done
    for mode in auto legacy 2026-07-28; do
      MODE="$mode" client "typescript $transport $mode" "$node" "$judges/clients/typescript.mjs" "$transport" \
        "${target[$transport]}" manage_customers "$call"
    done
  done
  stop
}

# client NAME COMMAND...: its answer is shown where it went wrong.
client() {
  local name="$1" out
  shift
  out="$("$@" 2>&1)" || { echo "FAIL $name"; echo "$out"; return 1; }
  echo "ok   $name"
}

simulator_contract() {
  start_simulator
  "$judges/upstream-contract.sh" "$address" T
  stop
}

simulator_schemathesis() {
  start_simulator
  EXTRA=ignored_auth,allow_header_conformance "$judges/simulator-schemathesis.sh" "$address" T
  stop
}

# prism WORD...: starts prism (with the contract's OpenAPI) on a free port and waits for it; sets prism_pid and address.
prism() {
  local port deadline=$((SECONDS + 30)) prism_log
  port="$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
  address="http://127.0.0.1:$port"
  prism_log="$(mktemp)"
  "$judges_home/node/node22/node_modules/node/bin/node" "$judges_home/node/prism/node_modules/.bin/prism" "$1" \
    --host 127.0.0.1 --port "$port" --errors "$judges/../seed/fintecture-customers-api-openapi.yml" "${@:2}" \
    >"$prism_log" 2>&1 &
  prism_pid=$!
  until curl --silent --output /dev/null "$address/"; do
    [ "$SECONDS" -lt "$deadline" ] || { tail -n 40 "$prism_log"; return 1; }
    sleep 0.1
  done
}

# Neither side may break the OpenAPI file: prism refuses requests and answers that do.
prism_mock() {
  prism mock
  tests/interop/nine_operations.py "$server" "$address"
  kill "$prism_pid"
}

prism_proxy() {
  start "Customers API answers at" simulator --listen 127.0.0.1:0
  prism proxy "$address"
  SEEDED=1 tests/interop/nine_operations.py "$server" "$address"
  kill "$prism_pid"
  stop
}
