#!/usr/bin/env bash
# Looks for secrets in the history and in the working copy (.gitleaks.toml says what
# is none), after it has found one that it planted itself.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
leaks() { bin/gitleaks "$@" --no-banner --no-color --redact --log-level warn --config .gitleaks.toml; }

# Put together here, so that this file holds none. A test's key elsewhere counts, too.
mkdir "$work/planted" "$work/moved"
printf 'aws_access_key_id = "AK%s"\n' IAZ7QK3MV5XNWP2TRB >"$work/planted/settings.ini"
sed -n 's/^.*testKey *= /testKey = /p' e2e/harness_test.go >"$work/moved/harness.go"
for case in planted moved; do
  [ -s "$(echo "$work/$case"/*)" ] || { echo "FAIL: nothing planted into $case" >&2; exit 1; }
  if leaks dir "$work/$case" >/dev/null 2>&1; then echo "FAIL: a planted secret is not found ($case)" >&2; exit 1; fi
done

leaks git .
# What is not committed yet, and not ignored.
git ls-files -z --others --exclude-standard | xargs -0 -r cp --parents -t "$work/planted"
rm "$work/planted/settings.ini"
leaks dir "$work/planted"
echo "   no secrets, 2 planted ones found"
