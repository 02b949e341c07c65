#!/usr/bin/env bash
# Lints workflows (actionlint, .github/policy) and shell scripts (shellcheck), and
# then plants errors into copies, each of which has to be found.
#   bin/actionlint, bin/conftest (make ci/source builds them), shellcheck
set -euo pipefail
cd "$(dirname "$0")/.."
command -v shellcheck >/dev/null || { echo "shellcheck is missing: scripts/install-deps.sh checks" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() { echo "FAIL: $*" >&2; failed=1; }

# Of shellcheck what it is sure of: below a warning it has taste, of which
# `A && B || die` is the one that it minds most here.
shell() { shellcheck --severity warning "$@"; }
workflows() { # DIRECTORY, which has .github
  bin/actionlint -no-color "$1"/.github/workflows/*.yml &&
    bin/conftest test --no-color --policy .github/policy "$1"/.github/workflows/*.yml
}

mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
[ ${#scripts[@]} -gt 5 ] || fail "only ${#scripts[@]} scripts found"
shell "${scripts[@]}" || fail "scripts"
workflows . >"$work/out" || { cat "$work/out"; fail "workflows"; }
[ $failed = 0 ] || exit 1
echo "   ${#scripts[@]} scripts, $(find .github/workflows -name '*.yml' | wc -l) workflows"

planted=0
while IFS=$'\t' read -r file says change; do
  rm -rf "$work/bad"
  mkdir -p "$work/bad/.git" # actionlint takes it for a repository by that
  cp -r .github "$work/bad/"
  sed -i -E "$change" "$work/bad/.github/workflows/$file"
  if cmp -s ".github/workflows/$file" "$work/bad/.github/workflows/$file"; then fail "nothing planted into $file by $change"; continue; fi
  said=$(workflows "$work/bad" 2>&1) && fail "$file: nobody minds $change"
  grep -qF -- "$says" <<<"$said" || fail "$file: $change, and not a word of '$says' but: $said"
  planted=$((planted + 1))
done <<'EOF'
delivery.yml	input "backendd" is not defined	s/^      backend: \$\{\{ needs/      backendd: ${{ needs/
delivery.yml	property "vershun" is not defined	s/needs\.image\.outputs\.version/needs.image.outputs.vershun/
delivery.yml	does not exist in this workflow	s/needs: \[image, staging\]/needs: [image, stagging]/
deploy.yml	undefined variable "input"	s/inputs\.environment \}\}/input.environment }}/
checks.yml	unexpected key	s/timeout-minutes: 30/timeout-minute: 30/
checks.yml	has no timeout	/timeout-minutes: 30/d
checks.yml	actions are pinned by commit	s/setup-go@[0-9a-f]+/setup-go@v5/
checks.yml	what its token may do	s/^  contents: read/  contents: write/
delivery.yml	writes packages	s/^      id-token: write #.*/      packages: write/
checks.yml	keeps its token in the working copy	s/persist-credentials: false/persist-credentials: true/
delivery.yml	long-lived keys	s/role-to-assume: .*/aws-access-key-id: ${{ secrets.KEY }}/
deploy.yml	from its environment	s/--name "security-monitor-\$ENVIRONMENT"/--name "security-monitor-${{ inputs.values }}"/
deploy.yml	deployments of one environment queue	s/cancel-in-progress: false/cancel-in-progress: true/
deploy.yml	deploys from any branch	/^    if: github.ref/d
deploy.yml	do not reach runs-on	s/inputs\.runner/vars.RUNNER/
delivery.yml	wait for one another's approvals	s/group: delivery-.*sha.*/group: delivery/
delivery.yml	input "runer" is not defined	s/^      runner: /      runer: /
checks.yml	exclude each other	/^concurrency:/,/cancel-in-progress/d
EOF

while IFS=$'\t' read -r says script; do
  printf '#!/usr/bin/env bash\n%b\n' "$script" >"$work/bad.sh"
  said=$(shell "$work/bad.sh" 2>&1) && fail "nobody minds the script $script"
  grep -qF -- "$says" <<<"$said" || fail "$script, and not a word of $says but: $said"
  planted=$((planted + 1))
done <<'EOF'
SC2164	cd /nowhere\nls
SC2154	echo "$typo"
SC1073	if true; then
EOF

[ $failed = 0 ] || exit 1
echo "   $planted planted errors, each found"
