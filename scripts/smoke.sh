#!/usr/bin/env bash
# Asks a running Security Monitor, from outside, whether it works: it is healthy and
# ready, has the version that was deployed, shows its login page, refuses
# strangers, answers GraphQL, and an event that is sent comes by the feed and is
# found by a query. It leaves one event of the host secmon-smoke.
#
#   SMOKE_READ_TOKEN=... SMOKE_INGEST_TOKEN=... scripts/smoke.sh https://monitor.example.org
#
# The tokens are API tokens with the scope read and ingest. Further settings:
#   SMOKE_VERSION   the version that viewer.serverVersion must be
#   SMOKE_WAIT      for how many seconds it may take to get ready (60)
#   SMOKE_TIMEOUT   for how many seconds each answer, and the event (15)
set -euo pipefail

base=${1:?usage: smoke.sh BASE_URL}
base=${base%/}
: "${SMOKE_READ_TOKEN:?an API token with the scope read}" "${SMOKE_INGEST_TOKEN:?an API token with the scope ingest}"
wait=${SMOKE_WAIT:-60} timeout=${SMOKE_TIMEOUT:-15}

work=$(mktemp -d)
feed=
end() {
  [ -z "$feed" ] || kill "$feed" 2>/dev/null || true
  rm -rf "$work"
}
trap end EXIT

say() { printf '  %-10s %s\n' "$1" "$2"; }
die() { say "$1" "FAILED: $2" >&2; exit 1; }

# A token is read from a file: the list of processes shows arguments to everybody.
(umask 077
  printf 'Authorization: Bearer %s\n' "$SMOKE_READ_TOKEN" >"$work/read.token"
  printf 'Authorization: Bearer %s\n' "$SMOKE_INGEST_TOKEN" >"$work/ingest.token")

# get NAME PATH [CURL ARGUMENT...] writes the body to $work/NAME and prints status and media type.
get() {
  local name=$1 path=$2
  shift 2
  : >"$work/$name"
  curl --silent --show-error --max-time "$timeout" --output "$work/$name" --write-out '%{http_code} %{content_type}' "$@" "$base$path" 2>"$work/$name.error" ||
    { tr '\n' ' ' <"$work/$name.error"; return 0; }
}

# graphql NAME QUERY VARIABLES [CURL ARGUMENT...]
graphql() {
  local name=$1 body
  body=$(jq -cn --arg query "$2" --argjson variables "$3" '{query: $query, variables: $variables}')
  shift 3
  get "$name" /api/graphql -H 'Content-Type: application/json' -H 'Accept: application/json' --data-binary "$body" "$@"
}

# Health: the process answers. Ready: it has its database, and takes traffic.
deadline=$((SECONDS + wait))
until [[ $(get ready /api/readyz) == 200\ * ]]; do
  ((SECONDS < deadline)) || die ready "not within $wait s: $(get ready /api/readyz) $(head -c 300 "$work/ready")"
  sleep 1
done
say ready "$(head -c 100 "$work/ready")"
got=$(get health /api/healthz)
[[ $got == 200\ * ]] && jq -e '.status == "ok"' "$work/health" >/dev/null 2>&1 || die health "$got $(head -c 300 "$work/health")"
say health ok

got=$(get login /login)
[[ $got == "200 text/html"* ]] && grep -q '<div id="root">' "$work/login" || die login "$got"
script=$(grep -oE '<script[^>]*type="module"[^>]*>' "$work/login" | grep -oE 'src="[^"]+"' | head -n 1 | cut -d '"' -f 2 || true)
[ -n "$script" ] || die login "the page has no script"
got=$(get script "$script")
[[ $got == "200 text/javascript"* || $got == "200 application/javascript"* ]] && [ -s "$work/script" ] || die login "$script: $got"
say login "page and $script"

got=$(graphql stranger '{ viewer { role } }' '{}')
jq -e '.data.viewer == null and .errors[0].extensions.code == "UNAUTHENTICATED"' "$work/stranger" >/dev/null 2>&1 ||
  die stranger "whoever has no token is not refused: $got $(head -c 300 "$work/stranger")"
say stranger "refused"

got=$(graphql viewer '{ viewer { role serverVersion } alertCounts { total } }' '{}' -H "@$work/read.token")
jq -e '.errors == null and .data.viewer.role != null' "$work/viewer" >/dev/null 2>&1 || die graphql "$got $(head -c 300 "$work/viewer")"
version=$(jq -r .data.viewer.serverVersion "$work/viewer")
[ -z "${SMOKE_VERSION:-}" ] || [ "$version" = "$SMOKE_VERSION" ] || die version "it is $version, not $SMOKE_VERSION"
say graphql "version $version"

# The feed is open before the event is sent: its first message tells a position.
marker=secmon-smoke-$(date +%s)-$$-$RANDOM
filter=$(jq -cn --arg marker "$marker" '{filter: {host: {eq: "secmon-smoke"}, message: {contains: $marker}}}')
body=$(jq -cn --argjson variables "$filter" '{query: "subscription($filter: EventFilter) { eventFeed(filter: $filter) { cursor events { message } } }", variables: $variables}')
curl --silent --show-error --no-buffer --max-time $((4 * timeout)) -H "@$work/read.token" -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \
  --data-binary "$body" "$base/api/graphql" >"$work/feed" 2>"$work/feed.error" &
feed=$!
# arrives TEXT waits until the feed has it.
arrives() {
  local deadline=$((SECONDS + timeout))
  until grep -q -- "$1" "$work/feed"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
arrives '"cursor"' || die feed "no first message: $(head -c 300 "$work/feed" "$work/feed.error")"

event=$(jq -cn --arg marker "$marker" '{host: "secmon-smoke", message: "smoke test \($marker)"}')
got=$(get ingest /api/ingest -H "@$work/ingest.token" -H 'Content-Type: application/x-ndjson' --data-binary "$event")
[[ $got == 2* ]] && jq -e '(.rejected // 0) == 0' "$work/ingest" >/dev/null 2>&1 || die ingest "$got $(head -c 300 "$work/ingest")"
say ingest "$marker"
arrives "$marker" || die feed "the event did not come within $timeout s: $(tail -c 300 "$work/feed")"
say feed "the event came"

# Accepted means stored: it is there at once, on whatever replica answers.
graphql events 'query($filter: EventFilter) { events(filter: $filter, first: 5) { nodes { host message } } }' "$filter" -H "@$work/read.token" >/dev/null
jq -e --arg marker "$marker" '[.data.events.nodes[] | select(.message | contains($marker))] | length == 1' "$work/events" >/dev/null 2>&1 ||
  die query "the event is not found: $(head -c 300 "$work/events")"
say query "the event is found"
