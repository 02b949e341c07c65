#!/usr/bin/env bash
# Builds both images with buildx and pushes them under a version that nothing has
# yet, each with its list of parts (SBOM) and how it was made (provenance).
#   scripts/image-publish.sh REGISTRY VERSION
# Prints two lines, backend=REGISTRY/REPOSITORY@sha256:... and frontend=...: what is
# signed, tested and deployed from then on. In GitHub's jobs they are outputs and in the summary, too.
set -euo pipefail
cd "$(dirname "$0")/.."
registry=${1:?usage: image-publish.sh REGISTRY VERSION} version=${2:?usage: image-publish.sh REGISTRY VERSION}
[[ $version =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$ ]] || { echo "$version is no tag" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for target in backend frontend; do
  name=$registry/security-monitor/$target
  # Built again, the same commit may give another digest (base images move): what is
  # there stays what it is.
  if digest=$(docker buildx imagetools inspect "$name:$version" --format '{{.Manifest.Digest}}' 2>/dev/null); then
    echo "$name:$version is there already" >&2
  else
    docker buildx build --file images/Dockerfile --target "$target" --platform linux/amd64 \
      --build-arg "VERSION=$version" --build-arg "REVISION=$(git rev-parse HEAD)" \
      --sbom=true --provenance=mode=max \
      --tag "$name:$version" --metadata-file "$work/$target.json" --push . >&2
    digest=$(jq -r '."containerimage.digest"' "$work/$target.json")
  fi
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "$name: no digest" >&2; exit 1; }
  echo "$target=$name@$digest" | tee -a "${GITHUB_OUTPUT:-/dev/null}" "${GITHUB_STEP_SUMMARY:-/dev/null}"
done
