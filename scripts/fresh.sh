#!/usr/bin/env bash
# Clones HEAD into a new directory and does there what the README says: make run,
# until events of the demo can be asked for, and make test. FRESH_TEST=no leaves the
# tests out.
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
dir=$(mktemp -d)
server=
cleanup() {
	[ -z "$server" ] || kill -INT -- "-$server" 2>/dev/null || true
	rm -rf "$dir"
}
trap cleanup EXIT

echo "== fresh: cloning into $dir"
git clone -q "$here" "$dir/main"
# Rules and logs for tests that need them, where they lie beside the clone.
if [ -d "$here/../shared" ]; then ln -s "$(cd "$here/../shared" && pwd)" "$dir/shared"; fi
cd "$dir/main"

echo "== fresh: make run"
port=${FRESH_PORT:-18473}
address=http://127.0.0.1:$port
# A session of its own: the interrupt is for make and the server, as Ctrl-C is.
setsid make run ARGS="--data-dir=$dir/data --listen=127.0.0.1:$port" >"$dir/run.log" 2>&1 &
server=$!
fail() {
	echo "fresh: $1" >&2
	tail -n 20 "$dir/run.log" >&2
	exit 1
}
for ((waited = 0; ; waited++)); do
	curl -fsS -o /dev/null "$address/api/readyz" 2>/dev/null && break
	kill -0 "$server" 2>/dev/null || fail "make run has ended"
	[ "$waited" -lt 900 ] || fail "make run is not ready after a quarter of an hour"
	sleep 1
done
echo "   ready after $waited s"
curl -fsS "$address/" | grep -q '<div id="root">' || fail "the dashboard is not served"
token=$(bin/secmon token create --data-dir "$dir/data" --name fresh --scope read)
for ((waited = 0; ; waited++)); do
	answer=$(curl -fsS -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$address/api/graphql" \
		-d '{"query":"{ events(first: 1) { nodes { id } } alerts(first: 1) { nodes { title } } }"}')
	case $answer in *'"id"'*'"title"'*) break ;; esac
	[ "$waited" -lt 60 ] || fail "the demo has no events and alerts: $answer"
	sleep 1
done
echo "   the dashboard is there, and events and alerts of the demo"
tail -n 25 "$dir/run.log" | grep -q 'Security Monitor is running' || fail "what follows pushed the link and the password away"
! grep -q EBADENGINE "$dir/run.log" || fail "npm warns of engines"
kill -INT -- "-$server"
wait "$server" || true
server=
for ((waited = 0; ; waited++)); do
	pgrep -f -- "$dir/data" >/dev/null || break
	[ "$waited" -lt 30 ] || fail "processes are left: $(pgrep -af -- "$dir/data")"
	sleep 1
done
echo "   stopped, no process is left"

[ "${FRESH_TEST:-yes}" = no ] || make test
