# The REST face before a public validator of OpenAPI and before generated requests, the same in every run.

# described CHECKS [CURL ARGUMENT...]: attacks the server at $address by its own description.
described() {
  local checks="$1" work
  shift
  work="$(mktemp -d)" # schemathesis leaves its example database where it runs
  curl --silent --fail --output "$work/openapi.json" "$@" "$address/openapi.json"
  "$cache/rest/bin/openapi-spec-validator" "$work/openapi.json"
  (cd "$work" && timeout 120 "$cache/rest/bin/schemathesis" run openapi.json --url "$address" "$@" --checks "$checks" \
    --generation-deterministic --no-shrink --max-examples 15 --max-time 20 --warnings off --no-color)
  rm -rf "$work"
}

rest_face() {
  local token=0123456789abcdef0123456789abcdef upstream_pid upstream_log
  local checks=content_type_conformance,response_schema_conformance,unsupported_method,status_code_conformance,allow_header_conformance
  rest_tools
  start_http
  described "not_a_server_error,$checks"
  stop
  # The other statuses: before an upstream that fails in every way that is answered, and behind a token.
  start "Customers API answers at" simulator --listen 127.0.0.1:0 --fault-seed 1 --fault status=401:0.05 \
    --fault status=404:0.1 --fault status=409:0.1 --fault status=422:0.1 --fault rate-limit=60s:0.1 --fault html:0.1
  upstream_pid="$pid" upstream_log="$log"
  export FINTECTURE_BASE_URL="$address" FINTECTURE_CUSTOMER_TOKEN=T FINTECTURE_MCP_TOKEN="$token"
  start "serving Streamable HTTP at" serve --transport http --environment sandbox --listen 127.0.0.1:0
  described "ignored_auth,$checks" --header "Authorization: Bearer $token"
  stop
  pid="$upstream_pid" log="$upstream_log"
  stop
}
