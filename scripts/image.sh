#!/usr/bin/env bash
# Builds the images secmon-backend and secmon-frontend.
#   scripts/image.sh          with Docker where an engine answers, else with buildah
#   scripts/image.sh check    with buildah, twice from nothing: the digests must be
#                             the same, and both images run as 65532 (needs root)
# buildah takes the last stages of images/Dockerfile and, for the stages before
# them, files that were built on this machine: no base image is pulled. The
# dashboard must be built (make build).
set -euo pipefail
cd "$(dirname "$0")/.."
export VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo dev)}
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { echo "[image] $*"; }

with_docker() {
  local target
  for target in backend frontend; do
    docker build -f images/Dockerfile --target "$target" --build-arg "VERSION=$VERSION" --build-arg "REVISION=$revision" \
      -t "secmon-$target:$VERSION" .
  done
}

# files puts the outputs of the first stages into a directory.
files() {
  [ -f web/dist/index.html ] || { say "the dashboard is not built: make build" >&2; exit 1; }
  mkdir -p "$1/web"
  cp -r web/dist "$1/web/out"
  rm -f "$1/web/out/.gitkeep"
  scripts/image-backend.sh "$1/build/out"
  images/frontend/rootfs.sh "$1/nginx/out"
  # git keeps no more of a file's mode than its x bit, and umask differs.
  chmod -R u=rwX,go=rX "$1"
  chmod 1777 "$1/build/out/tmp" "$1/nginx/out/tmp"
  mkdir -p "$1/context/images/frontend"
  install -m 644 images/frontend/nginx.conf "$1/context/images/frontend/"
}

store=()
buildah_() { buildah "${store[@]}" "$@"; }

# built FILES TARGET builds a target and prints the digest of its manifest.
built() {
  buildah_ bud --quiet --isolation chroot --timestamp 0 --identity-label=false --format oci -f images/Dockerfile --target "$2" \
    --build-arg "VERSION=$VERSION" --build-arg "REVISION=$revision" \
    --build-context "web=$1/web" --build-context "build=$1/build" --build-context "nginx=$1/nginx" \
    -t "secmon-$2:$VERSION" "$1/context" >/dev/null
  buildah_ inspect --type image --format '{{.FromImageDigest}}' "secmon-$2:$VERSION"
}

# runs_backend CONTAINER fails unless the program says its version.
runs_backend() {
  local out
  out=$(buildah_ run --isolation chroot "$1" -- /secmon --version 2>&1 || true)
  [ "$out" = "$VERSION" ] || { say "secmon --version printed $out" >&2; exit 1; }
}

# runs_frontend CONTAINER ROOT fails unless the image's NGINX serves the dashboard.
# Only the port and the access log differ: buildah keeps /dev/stdout for root, which
# container engines give to the image's user.
runs_frontend() {
  local port out
  port=$(node -e 'const s = require("net").createServer(); s.listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
  sed "s#/dev/stdout#/tmp/access.log#; s#listen 3000;#listen 127.0.0.1:$port;#" "$2/etc/nginx/nginx.conf" > "$2/tmp/check.conf"
  buildah_ run --isolation chroot "$1" -- /usr/sbin/nginx -e stderr -c /tmp/check.conf > "$work/nginx.log" 2>&1 &
  for _ in $(seq 100); do
    out=$(node -e 'fetch(process.argv[1]).then(async (r) => console.log(r.status, r.headers.get("content-security-policy"), await r.text()), () => {})' "http://127.0.0.1:$port/alerts")
    [ -z "$out" ] || break
    sleep 0.1
  done
  [ ! -s "$2/tmp/nginx.pid" ] || kill -QUIT "$(cat "$2/tmp/nginx.pid")"
  wait $! || true
  rm -rf "$2/tmp/"*
  [[ $out == "200 default-src 'self'"*"<title>Security Monitor</title>"* ]] || { say "the frontend said: $out"; cat "$work/nginx.log"; exit 1; } >&2
}

check() {
  local n target first second container root writable
  store=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
  trap 'buildah_ rm --all >/dev/null 2>&1 || true; rm -rf "$work"' EXIT
  for n in 1 2; do
    say "files, time $n"
    (umask "02$n"; files "$work/files$n")
  done
  for target in backend frontend; do
    first=$(built "$work/files1" "$target")
    buildah_ rmi --all --force >/dev/null
    second=$(built "$work/files2" "$target")
    [ "$first" = "$second" ] || { say "$target: two builds differ: $first, $second" >&2; exit 1; }
    say "$target: twice $first"
    container=$(buildah_ from --pull-never "secmon-$target:$VERSION")
    root=$(buildah_ mount "$container")
    "runs_$target" "$container" "$root"
    writable=$(find "$root" ! -type l \( -perm -0002 -o -uid 65532 -o -gid 65532 \) -printf '/%P ')
    [ "$writable" = "/tmp " ] || { say "$target: others than root may write: $writable" >&2; exit 1; }
    say "$target: runs as $(buildah_ inspect --type image --format '{{.OCIv1.Config.User}}' "secmon-$target:$VERSION"), $(du -sm "$root" | cut -f1) MiB"
  done
}

case "${1:-}" in
  check) check ;;
  "")
    if docker info >/dev/null 2>&1; then
      with_docker
    else
      say "no Docker engine answers: the last stages with buildah, from files of this machine"
      files "$work/files"
      for target in backend frontend; do
        say "secmon-$target:$VERSION $(built "$work/files" "$target")"
      done
    fi ;;
  *) echo "usage: $0 [check]" >&2; exit 2 ;;
esac
