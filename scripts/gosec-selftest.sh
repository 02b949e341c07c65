#!/usr/bin/env bash
# gosec.sh must find what is planted, mind entries that fit nothing, and take
# reasons. Each case is a module of one file, so that it takes seconds.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
# try NAME WANTED-EXIT SAYS LINE-OF-GO ACCEPTED
try() {
  local status=0
  rm -rf "$work/tree"
  mkdir -p "$work/tree/tools/scan"
  printf 'module planted\n\ngo 1.26\n' >"$work/tree/go.mod"
  printf 'package main\n\nimport (\n\t"os"\n\t"os/exec"\n)\n\nfunc main() {\n\t%s\n\tos.Exit(0)\n}\n' "$4" >"$work/tree/main.go"
  printf '%b' "$5" >"$work/tree/tools/scan/gosec.tsv"
  scripts/gosec.sh "$work/tree" >"$work/out" 2>&1 || status=$?
  if [ $status = "$2" ] && grep -qF -- "$3" "$work/out"; then return; fi
  echo "FAIL: $1: exit $status" >&2
  cat "$work/out" >&2
  failed=1
}
# shellcheck disable=SC2016 # Go, not shell
call='_ = exec.Command(os.Args[1]).Run()'
rules=$(printf 'G204\tmain.go\t%s\tour own program\nG702\tmain.go\t%s\tour own program\n' "$call" "$call")
try "a finding" 1 "G204" "$call" ''
try "a reason on the line" 0 "0 not accounted for" "$call //nolint:gosec // our own program" ''
try "no reason on the line" 1 "G204" "$call //nolint:gosec" ''
try "an entry with a reason" 0 "0 not accounted for" "$call" "$rules\n"
try "an entry without one" 1 "has no reason" "$call" "G204\tmain.go\t$call\t\n"
try "an entry that fits nothing" 1 "fits no finding" "_ = exec.ErrDot" "G204\tmain.go\t$call\tour own program\n"
[ $failed = 0 ] && echo "   6 planted cases, each as it should be"
exit $failed
