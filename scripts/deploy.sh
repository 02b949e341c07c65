#!/usr/bin/env bash
# Deploys two images, by digest, into the environment that kubectl points to; asks
# it from outside whether it works; and goes back by itself when it does not.
#
#   scripts/deploy.sh ENVIRONMENT VERSION BACKEND FRONTEND URL [VALUES...]
#     ENVIRONMENT  dev, staging or prod: helm/security-monitor/values-ENVIRONMENT.yaml
#     VERSION      what the images were built as; the program has to say so
#     BACKEND      REGISTRY/REPOSITORY@sha256:...
#     FRONTEND     the same of the frontend, in the same registry
#     URL          address that people use
#     VALUES       further values files, of Terraform's outputs
#
# Of two colours (scripts/blue-green.sh) the one that serves gets the images.
#
# Tokens for the smoke test as in scripts/smoke.sh. A rollout that does not become
# ready is taken back by Helm (--atomic), one that does and does not work is by
# this script. Migrations only ever add, so the old version runs on the new schema.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "deploy: $*" >&2; exit 1; }
[ $# -ge 5 ] || die "usage: deploy.sh ENVIRONMENT VERSION BACKEND FRONTEND URL [VALUES...]"
environment=$1 version=$2 backend=$3 frontend=$4 url=$5
shift 5
release=${RELEASE:-security-monitor} namespace=${NAMESPACE:-security-monitor}
smoke=${SMOKE:-scripts/smoke.sh}

case $environment in dev | staging | prod) ;; *) die "no environment $environment" ;; esac

# Known before anything is changed: without them the smoke test would fail, and a
# version that works would be taken back.
[ -n "${SMOKE_READ_TOKEN:-}" ] && [ -n "${SMOKE_INGEST_TOKEN:-}" ] || die "SMOKE_READ_TOKEN and SMOKE_INGEST_TOKEN are not both set"

# part WHAT IMAGE: an image's registry, repository or digest. A tag is refused: it
# is the digest that was tested.
part() {
  [[ $2 =~ ^([^/]+)/([^@]+)@(sha256:[0-9a-f]{64})$ ]] || die "$2 is not REGISTRY/REPOSITORY@sha256:..."
  case $1 in registry) echo "${BASH_REMATCH[1]}" ;; repository) echo "${BASH_REMATCH[2]}" ;; digest) echo "${BASH_REMATCH[3]}" ;; esac
}
registry=$(part registry "$backend")
[ "$(part registry "$frontend")" = "$registry" ] || die "the images are in two registries"

values=(--values "helm/security-monitor/values-$environment.yaml")
for file in "$@"; do
  [ -s "$file" ] || die "$file is empty or missing"
  values+=(--values "$file")
done

# The revision that runs now: where to go back to. None at the first time.
history=$(helm history "$release" --namespace "$namespace" --max 20 --output json 2>/dev/null || echo '[]')
before=$(jq -r '[.[] | select(.status == "deployed") | .revision] | max // empty' <<<"$history")

# Which colour serves, scripts/blue-green.sh changes and no file says. That colour gets
# the new images; the other, where it is there, stays what it is.
if [ -n "$before" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  helm get values "$release" --namespace "$namespace" --all --output json |
    jq -e '{blueGreen: (.blueGreen | .[.active] += {tag: "", digest: "", frontendDigest: ""})}' >"$work/colours.json" ||
    die "which colour serves is not to be learned"
  values+=(--values "$work/colours.json")
fi

echo "deploy: $environment gets $version (runs now: revision ${before:-none})"
helm upgrade "$release" helm/security-monitor --install --atomic --timeout "${TIMEOUT:-15m}" --namespace "$namespace" "${values[@]}" \
  --set-string "image.registry=$registry" \
  --set-string "backend.image.tag=$version" --set-string "frontend.image.tag=$version" \
  --set-string "backend.image.repository=$(part repository "$backend")" --set-string "backend.image.digest=$(part digest "$backend")" \
  --set-string "frontend.image.repository=$(part repository "$frontend")" --set-string "frontend.image.digest=$(part digest "$frontend")" \
  --description "$version" || die "the rollout failed; Helm has taken it back"

echo "deploy: smoke test of $url"
if SMOKE_VERSION=$version "$smoke" "$url"; then
  echo "deploy: $environment runs $version"
  exit 0
fi

[ -n "$before" ] || die "the smoke test failed, and there is no earlier revision to go back to"
echo "deploy: the smoke test failed; going back to revision $before" >&2
helm rollback "$release" "$before" --namespace "$namespace" --wait --timeout "${TIMEOUT:-15m}" || die "THE ROLLBACK FAILED, TOO: $environment runs $version, which does not work"
# What ran before has another version, and has to work as well.
"$smoke" "$url" || die "$environment is back at revision $before, AND THAT DOES NOT WORK EITHER"
die "$environment is back at revision $before"
