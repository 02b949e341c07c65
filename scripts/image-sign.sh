#!/usr/bin/env bash
# Signs images without a key (the job's own identity, by Sigstore), or checks that
# they were signed by this repository's delivery on main.
#   scripts/image-sign.sh sign IMAGE@DIGEST...
#   GITHUB_REPOSITORY=OWNER/NAME scripts/image-sign.sh verify IMAGE@DIGEST...
set -euo pipefail
action=${1:?usage: image-sign.sh sign|verify IMAGE...}
shift
[ $# -gt 0 ] || { echo "no image" >&2; exit 1; }
for image in "$@"; do
  [[ $image =~ @sha256:[0-9a-f]{64}$ ]] || { echo "$image: a signature is of a digest, not of a tag" >&2; exit 1; }
  case $action in
    sign) cosign sign --yes --recursive "$image" ;;
    verify)
      cosign verify \
        --certificate-identity "https://github.com/${GITHUB_REPOSITORY:?}/.github/workflows/delivery.yml@refs/heads/main" \
        --certificate-oidc-issuer https://token.actions.githubusercontent.com \
        "$image" >/dev/null && echo "$image: signed by $GITHUB_REPOSITORY" ;;
    *) echo "sign or verify" >&2; exit 1 ;;
  esac
done
