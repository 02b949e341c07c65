#!/usr/bin/env bash
# Runs gosec over the Go modules of the product and of the checks. A finding is
# accepted with a reason only: on its line (//nolint:gosec // reason), or in
# tools/scan/gosec.tsv. An entry there that fits no finding any more fails, too.
# Generated code is left out: it is gqlgen's, and nobody edits it.
#   scripts/gosec.sh [DIRECTORY]   another tree, for the self-test
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD
cd "${1:-.}"
tree=$PWD
report=$(mktemp)
trap 'rm -f "$report" "$report.log"' EXIT

# It exits with 1 for findings, too: what counts is the report.
"$repository/bin/gosec" -exclude-generated -exclude-dir graph -exclude-dir bench -exclude-dir web/node_modules \
  -fmt json -out "$report" ./... >/dev/null 2>"$report.log" || true
[ -s "$report" ] || { tail -n 20 "$report.log" >&2; echo "gosec wrote no report" >&2; exit 1; }
jq -e '.Stats.files > 0' "$report" >/dev/null || { echo "gosec looked at no file" >&2; exit 1; }
jq -e '(."Golang errors" // {}) == {}' "$report" >/dev/null || { jq '."Golang errors"' "$report" >&2; exit 1; }

declare -A why used
accepted=tools/scan/gosec.tsv
if [ -e "$accepted" ]; then
  while IFS=$'\t' read -r rule file code reason; do
    case $rule in '#'* | '') continue ;; esac
    [ -n "$reason" ] || { echo "$accepted: $rule in $file has no reason" >&2; exit 1; }
    why["$rule $file $code"]=$reason
  done <"$accepted"
fi

found=0 open=0
while IFS=$'\t' read -r rule file lines details; do
  file=${file#"$tree/"}
  found=$((found + 1))
  span=$(sed -n "${lines/-/,}p" "$file")
  if grep -qE '//nolint:([a-z]+,)*gosec(,[a-z]+)* // [^ ]' <<<"$span"; then continue; fi
  code=$(head -n 1 <<<"$span" | sed -E 's/^[[:space:]]+|[[:space:]]+$//g')
  if [ -n "${why["$rule $file $code"]:-}" ]; then
    used["$rule $file $code"]=1
    continue
  fi
  open=$((open + 1))
  printf '%s:%s: %s: %s\n  %s\n' "$file" "$lines" "$rule" "$details" "$code" >&2
done < <(jq -r '.Issues[] | [.rule_id, .file, .line, .details] | @tsv' "$report")

for entry in "${!why[@]}"; do
  if [ -z "${used[$entry]:-}" ]; then
    open=$((open + 1))
    echo "$accepted: fits no finding any more: $entry" >&2
  fi
done
echo "gosec: $found findings, $open not accounted for"
[ "$open" = 0 ]
