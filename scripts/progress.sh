#!/usr/bin/env bash
# Runs a command, shows what it prints, and when that is nothing for ten seconds
# says that it is still at work. Of `go build -v`, which prints a line for each of
# many packages, it shows only how far it is.
#   scripts/progress.sh go build -v ./...
set -uo pipefail

# The bash of macOS cannot tell the end of the output from a pause in it.
if [ "${BASH_VERSINFO[0]}" -lt 4 ]; then exec "$@"; fi

show() {
  local line part='' status count=0 start=$SECONDS said=$SECONDS
  while :; do
    IFS= read -r -t 1 line
    status=$?
    line=$part$line part=
    if [ $status -eq 0 ]; then
      if [ "$packages" = 1 ] && [[ $line =~ ^[A-Za-z0-9_.~/-]+$ ]]; then
        count=$((count + 1))
        if ((SECONDS - said >= 3)); then
          said=$SECONDS
          echo "   compiled $count packages, last $line"
        fi
      else
        said=$SECONDS
        printf '%s\n' "$line"
      fi
    elif [ $status -gt 128 ]; then # no whole line came within the second
      part=$line
      if ((SECONDS - said >= 10)); then
        said=$SECONDS
        echo "   still at it after $((SECONDS - start)) s"
      fi
    else
      [ -z "$line" ] || printf '%s\n' "$line"
      break
    fi
  done
}

packages=0
if [[ "$*" == *"go "*"build -v"* ]]; then packages=1; fi
"$@" 2>&1 | show
exit "${PIPESTATUS[0]}"
