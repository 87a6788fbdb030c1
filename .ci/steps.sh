# Running steps: one after the other, each in a process group of its own.

passed=0
failed=()
running=

# Ends what is left of the running step, children that it forgot included, and nothing else.
end_step() {
  if [ -n "$running" ]; then
    kill -TERM -- "-$running" 2>/dev/null || true
    running=
  fi
}
trap end_step EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# step TITLE FUNCTION [ARGUMENT...]: says what it does, does it, counts it.
step() {
  local title="$1" code=0 started=$SECONDS
  shift
  echo "== $title"
  set -m
  (set -euo pipefail; "$@") </dev/null &
  running=$!
  set +m
  wait "$running" || code=$?
  end_step
  if [ "$code" = 0 ]; then
    passed=$((passed + 1))
    echo "-- ok: $title, $((SECONDS - started)) s"
  else
    failed+=("$title")
    echo "-- FAILED: $title, exit code $code, $((SECONDS - started)) s"
  fi
}

# summary: the last line counts the steps; ends the run, badly if one of them failed.
summary() {
  local title
  for title in "${failed[@]}"; do
    echo "failed: $title"
  done
  echo "${passed} passed, ${#failed[@]} failed"
  [ "${#failed[@]}" = 0 ]
}
