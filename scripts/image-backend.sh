#!/usr/bin/env bash
# Makes the root of the backend's image: the static program, the certificates it
# trusts, a user. Two runs on the same sources give the same bytes. No time zones:
# the program counts in UTC.
#   VERSION=v1.2.3 scripts/image-backend.sh DIRECTORY
set -euo pipefail
root=${1:?"usage: $0 DIRECTORY"}
cd "$(dirname "$0")/.."

mkdir -p "$root/etc/ssl/certs" "$root/tmp" "$root/data"
CGO_ENABLED=0 go build -trimpath -buildvcs=false \
  -ldflags "-s -w -buildid= -X github.com/security-monitor/secmon/app.Version=${VERSION:-dev}" \
  -o "$root/secmon" ./cmd/secmon
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'secmon:x:65532:65532:secmon:/data:/sbin/nologin' > "$root/etc/passwd"
echo 'secmon:x:65532:' > "$root/etc/group"
chmod 1777 "$root/tmp"
