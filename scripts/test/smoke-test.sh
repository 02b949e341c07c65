#!/usr/bin/env bash
# Tests scripts/smoke.sh against the real program (bin/secmon with its dashboard):
# it passes, and it fails for each thing that can be wrong, naming it.
set -euo pipefail
cd "$(dirname "$0")/../.."

[ -x bin/secmon ] && [ -f web/dist/index.html ] || { echo "build first: make build" >&2; exit 1; }
work=$(mktemp -d)
server='' proxy=''
end() {
  [ -z "$proxy" ] || kill "$proxy" 2>/dev/null || true
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap end EXIT

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
base=http://127.0.0.1:$port
bin/secmon serve --data-dir "$work/data" --listen "127.0.0.1:$port" >"$work/log" 2>&1 &
server=$!
for _ in $(seq 600); do
  curl --silent --fail --output "$work/version" "$base/api/readyz" && break
  kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
  sleep 0.2
done
SMOKE_READ_TOKEN=$(bin/secmon token create --data-dir "$work/data" --name smoke-read --scope read)
SMOKE_INGEST_TOKEN=$(bin/secmon token create --data-dir "$work/data" --name smoke-ingest --scope ingest)
SMOKE_VERSION=$(bin/secmon --version)
export SMOKE_READ_TOKEN SMOKE_INGEST_TOKEN SMOKE_VERSION SMOKE_WAIT=3 SMOKE_TIMEOUT=5

scripts/smoke.sh "$base" >"$work/out" 2>&1 || { cat "$work/out" >&2; echo "FAIL: the program works, smoke.sh says it does not" >&2; exit 1; }
cat "$work/out"

failed=0 passed=1
# fails NAME SAYS BASE [SETTING=VALUE...]: smoke.sh must fail and say what.
fails() {
  local name=$1 says=$2 at=$3
  shift 3
  if env "$@" scripts/smoke.sh "$at" >"$work/out" 2>&1; then
    echo "FAIL: $name: smoke.sh minds nothing" >&2
    failed=$((failed + 1))
  elif ! grep -qE "$says" "$work/out"; then
    echo "FAIL: $name: no word of '$says' but:" >&2
    cat "$work/out" >&2
    failed=$((failed + 1))
  elif grep -qF -e "$SMOKE_READ_TOKEN" -e "$SMOKE_INGEST_TOKEN" "$work/out"; then
    echo "FAIL: $name: a token is in the output" >&2
    failed=$((failed + 1))
  else
    passed=$((passed + 1))
  fi
}

fails "wrong read token" '^  graphql +FAILED' "$base" SMOKE_READ_TOKEN=wrong
fails "wrong ingest token" '^  ingest +FAILED: 401' "$base" SMOKE_INGEST_TOKEN=wrong
fails "a read token cannot ingest" '^  ingest +FAILED: 403' "$base" SMOKE_INGEST_TOKEN="$SMOKE_READ_TOKEN"
fails "another version" '^  version +FAILED' "$base" SMOKE_VERSION=v0.0.1
fails "nobody there" '^  ready +FAILED' http://127.0.0.1:1 SMOKE_WAIT=1

while read -r fault says; do
  rm -f "$work/port" # of the one before
  node scripts/test/faulty-proxy.mjs "$base" "$fault" >"$work/port" 2>"$work/proxy.log" &
  proxy=$!
  for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
  fails "$fault" "$says" "http://127.0.0.1:$(cat "$work/port")" SMOKE_WAIT=10 SMOKE_TIMEOUT=5
  kill "$proxy"
  wait "$proxy" 2>/dev/null || true
  proxy=''
done <<'EOF'
unready ^  ready +FAILED
sick ^  health +FAILED
no-login ^  login +FAILED
no-script ^  login +FAILED: .*\.js
open ^  stranger +FAILED
broken ^  graphql +FAILED
no-feed ^  feed +FAILED: no first message
rejects ^  ingest +FAILED
lost-events ^  feed +FAILED: the event did not come
buffered-feed ^  feed +FAILED: (the event did not come|no first message)
empty-lists ^  query +FAILED
EOF

echo "smoke: $passed passed, $failed failed"
[ $failed = 0 ]
